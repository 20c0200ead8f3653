/** The file that EFI's variables are in when nobody wants to keep them. */

/** A file that goes when it is disposed of; the next run removes one that a killed run has left. */
export interface TransientFile extends Disposable {
  path: string;
}

const PREFIX = "vzrun-efi-vars-";

function temporaryFolder(): string {
  return Deno.makeTempDirSync({ prefix: PREFIX });
}

/** A folder of its own for a new variable store. */
export function transientVariables(): TransientFile {
  const folder = temporaryFolder();
  return {
    path: `${folder}/variables`,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}
