declare const brand: unique symbol;

/** A nominal type over `T`: a plain `T` at run time, not assignable from one at compile time. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
