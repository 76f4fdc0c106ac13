type Keys<T, Optional extends boolean> = {
  [K in keyof T]-?: undefined extends T[K] ? (Optional extends true ? K : never) : Optional extends true ? never : K;
}[keyof T];

/** `T` with every member that may be `undefined` made one that may be absent instead. */
export type Defined<T> = { [K in Keys<T, false>]: T[K] } & { [K in Keys<T, true>]?: Exclude<T[K], undefined> };

/** The members that have a value: with `exactOptionalPropertyTypes`, `undefined` does not stand for an absent member. */
export function defined<const T extends object>(members: T): Defined<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<T>;
}
