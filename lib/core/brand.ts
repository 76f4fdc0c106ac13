declare const brand: unique symbol;

/** A string that only its own parser can make, so that an unchecked one does not compile in its place. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
