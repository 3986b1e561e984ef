/** A mend that is not run, because somebody has to decide before. */
export const commentedOut = (mend: string): string => mend.replaceAll(/^(?!--)/gm, '-- ')
