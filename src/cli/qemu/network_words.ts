/** The kinds of networks that there are, in the order of the help; network.ts has what each is, and its keys. */
export const NETWORK_WORDS = [
  "user",
  "bridge",
  "none",
  "dgram",
  "stream",
  "vmnet-shared",
  "vmnet-host",
  "vmnet-bridged",
] as const;
