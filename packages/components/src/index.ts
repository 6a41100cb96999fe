/** Events of the components of a program: off, and not even loaded, until somebody switches them on. */
export {};
