/** A guest with programs that talk over its sockets: the host's own, in a folder that is shared. */

import { assert, assertEquals } from "@std/assert";
import { GuestShell } from "./guest_shell.ts";
import { Folder, type How } from "./vzrun.ts";

/**
 * `perl vsock.pl serve PORT echo|count|stuck|talk`, and `perl vsock.pl dial PORT TEXT`, which prints the answer. As systemd
 * does, `notify PORT TEXT` waits for no answer. A struct sockaddr_vm is family, reserved, port, CID.
 */
const VSOCK = `use strict;
my ($what, $port, $how) = @ARGV;
sub address { pack("SSLLx4", 40, 0, $port, shift) }
sub all { my ($to, $bytes) = @_; for (my $at = 0; $at < length $bytes;) {
  my $sent = syswrite($to, $bytes, length($bytes) - $at, $at); defined $sent or exit 1; $at += $sent } }
socket(my $socket, 40, 1, 0) or die "socket: $!\\n";
if ($what ne "serve") {
  connect($socket, address(2)) or do { print "$!\\n"; exit 1 };
  all($socket, $how);
  exit if $what eq "notify";
  shutdown($socket, 1);
  while (sysread($socket, my $bytes, 65536)) { print $bytes }
  exit;
}
$SIG{CHLD} = "IGNORE";
bind($socket, address(0xffffffff)) or die "bind: $!\\n";
listen($socket, 200) or die "listen: $!\\n";
open(my $file, ">", "/tmp/listens-$port");
while (accept(my $client, $socket)) {
  next if fork;
  if ($how eq "echo") { while (sysread($client, my $bytes, 65536)) { all($client, $bytes) } }
  if ($how eq "count") { my $sum = 0; while (my $read = sysread($client, my $bytes, 65536)) { $sum += $read } all($client, "$sum\\n") }
  if ($how eq "talk") { my $bytes = "x" x 65536; all($client, $bytes) while 1 }
  sleep 1000 if $how eq "stuck";
  exit;
}
`;

/** Ports of the guest's, with what answers there. */
export const PORTS = {
  ssh: 22,
  agent: 1024,
  echo: 5001,
  count: 5002,
  stuck: 5003,
  talk: 5004,
  nobody: 5999,
} as const;

/** Commands that make the guest ready: the host's programs are below /mnt, the files of the folder in /mnt/tmp. */
export const SET_UP =
  "modprobe -q vmw_vsock_virtio_transport; modprobe -q virtiofs; mount -t virtiofs host /mnt; cd /mnt; " +
  "mount -t proc p proc; mount -t devtmpfs d dev; mkdir -p dev/pts; mount -t devpts p dev/pts; " +
  "for x in tmp root run; do mount -t tmpfs t $x; done; mkdir -m 700 root/.ssh; chmod 700 root; " +
  "mkdir /files; mount -t virtiofs files /files; cp /files/vsock.pl tmp; cp /files/authorized_keys root/.ssh";

/** A command that runs one of the host's in the guest. */
export const chroot = (command: string) => `chroot /mnt /bin/sh -c '${command}'`;

/** A command that starts servers, and waits until they listen. */
export function serve(...kinds: ("echo" | "count" | "stuck" | "talk")[]): string {
  const servers = kinds.map((kind) => `perl /tmp/vsock.pl serve ${PORTS[kind]} ${kind} >/dev/null 2>&1 &`);
  const waits = kinds.map((kind) => `until [ -e /mnt/tmp/listens-${PORTS[kind]} ]; do usleep 20000; done`);
  return [chroot(servers.join(" ")), ...waits].join("; ");
}

/** A key, and what the server wants to know of it. */
async function makeKey(path: string): Promise<string> {
  const args = ["-q", "-t", "ed25519", "-N", "", "-f", path];
  assert((await new Deno.Command("ssh-keygen", { args, stdout: "null", stderr: "null" }).output()).success);
  return await Deno.readTextFile(`${path}.pub`);
}

/** A folder with what the guest needs. */
export async function guestFiles(): Promise<Folder> {
  const folder = new Folder();
  await Deno.writeTextFile(folder.file("vsock.pl"), VSOCK);
  await Deno.writeTextFile(folder.file("authorized_keys"), await makeKey(folder.file("key")));
  return folder;
}

/** Options that share what {@linkcode SET_UP} mounts. */
export function shares(folder: Folder): string[] {
  return ["-share", "host", "/,ro", "-share", "files", `${folder.path},ro`];
}

/** A guest without a network, by its console; its sockets are in its folder. */
export class VsockGuest implements AsyncDisposable {
  private constructor(readonly shell: GuestShell, readonly folder: Folder) {}

  static async boot(args: (folder: Folder) => string[], how: How = {}): Promise<VsockGuest> {
    const folder = await guestFiles();
    try {
      const shell = await GuestShell.boot(["-nic", "none", ...shares(folder), ...args(folder)], how);
      assertEquals(await shell.tell(SET_UP), { status: 0, out: "" });
      return new VsockGuest(shell, folder);
    } catch (error) {
      folder[Symbol.dispose]();
      throw error;
    }
  }

  /** What a command of the host's writes in the guest. */
  async tell(command: string): Promise<string> {
    return (await this.shell.tell(chroot(command))).out;
  }

  async connect(name: string): Promise<Deno.UnixConn> {
    return await Deno.connect({ transport: "unix", path: this.folder.file(name) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shell[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}
