import type { BuildOptions, Plugin } from 'esbuild';

export declare const ROOT: string;
export declare const REQUIRE_BANNER: string;
export declare const BUNDLE_OPTIONS: BuildOptions;
export declare const FUNCTION_OPTIONS: BuildOptions;
/** What is particular to the bundle of one function. */
export declare function optionsOf(entry: string): Promise<BuildOptions>;
/** The files of one function's zip; `handler` is that of serverless.yml: `functions/on-message.handler`. */
export declare function bundleFunction(
  handler: string,
  plugins?: readonly Plugin[],
): Promise<readonly { readonly name: string; readonly contents: Uint8Array }[]>;
