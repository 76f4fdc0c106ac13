/** A resource of a CloudFormation template. */
export interface Resource {
  readonly Type: string;
  readonly DependsOn?: string | readonly string[];
  readonly Metadata?: Readonly<Record<string, unknown>>;
  readonly Properties: Readonly<Record<string, unknown>>;
}

export type Resources = Readonly<Record<string, Resource>>;

/** What of a stack is known before it is there. */
export interface StackNames {
  readonly stack: string;
  /** The existing bucket that takes the place of the stack's own. */
  readonly jarBucket?: string;
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly unknown[];
  readonly Condition?: object;
}

export function allow(Action: readonly string[], Resource: readonly unknown[]): Statement {
  return { Effect: 'Allow', Action, Resource };
}

/** A text in which CloudFormation fills in what only it knows. */
export function sub(text: string): unknown {
  return text.includes('${') ? { 'Fn::Sub': text } : text;
}

/** A policy for the roles of functions; none when it says nothing. */
export function policy(roles: readonly string[], statements: readonly Statement[]): Resource | undefined {
  if (statements.length === 0) return undefined;
  return {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: {
      Roles: roles.map((role) => ({ Ref: role })),
      PolicyDocument: { Version: '2012-10-17', Statement: statements },
    },
  };
}
