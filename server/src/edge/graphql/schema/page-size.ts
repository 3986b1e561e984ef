/** How many rows a connection has that is not asked for a number, and at most. */
export const PAGE_SIZE = 50
export const LARGEST_PAGE = 500
