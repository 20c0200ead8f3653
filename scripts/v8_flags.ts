/**
 * What V8 is told, so that starts are quick. It keeps only the code of functions that were compiled when their file was
 * loaded, and makes that of all others anew each time: so they all are. And no garbage is collected in the first
 * 4 MiB, which a start does not fill.
 */
export const V8_FLAGS = "--v8-flags=--no-lazy,--min-semi-space-size=4";
