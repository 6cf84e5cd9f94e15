/** An image that cannot be read, and never will be: why, in words. */
export class Unreadable extends Error {}
