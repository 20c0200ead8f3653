/** Public keys as ssh-keygen writes them, one a line. */

/** Kinds of keys that servers take. */
const KINDS =
  /(?:^|\s)((?:ssh-(?:ed25519|rsa|dss)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)) +([A-Za-z0-9+/]+={0,2})(?=\s|$)/;

/** What a file of keys has, or why it has none. */
export type SSHKeys = { keys: string[] } | { problem: string };

/** The lines with keys. */
export function readKeys(text: string): SSHKeys {
  // Looked for everywhere: nothing of one may ever reach a guest.
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----|PuTTY-User-Key-File/.test(text)) {
    return { problem: "it is a private key, which stays where it is: the public one ends in .pub" };
  }
  if (/^---- BEGIN SSH2 PUBLIC KEY ----/m.test(text)) {
    return { problem: "it is not as OpenSSH has it: `ssh-keygen -i -f` converts it" };
  }
  const keys: string[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const key = line.trim();
    if (key === "" || key.startsWith("#")) continue;
    if (!isKey(key)) return { problem: `line ${i + 1} is no public key, as in 'ssh-ed25519 AAAA… name'` };
    keys.push(key);
  }
  return keys.length > 0 ? { keys } : { problem: "there is no key in it" };
}

/** The data of a key begin with the name of its kind, behind the length of that: 4 bytes, most significant first. */
function isKey(line: string): boolean {
  const [, kind, base64] = KINDS.exec(line) ?? [];
  if (kind === undefined) return false;
  try {
    const data = atob(base64);
    return data.startsWith(`\0\0\0${String.fromCharCode(kind.length)}${kind}`) &&
      data.length > 4 + kind.length + 4;
  } catch {
    return false;
  }
}
