/** The version of the programs of this repository; the same as in every package.json. */
export const PROGRAM_VERSION = '0.1.0';
