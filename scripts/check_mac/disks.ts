/** Probes of disk images, variable stores, shared folders and what else is in files. */

import { nextTurn } from "../../src/host/event_loop.ts";
import { NewFile } from "../../src/host/new_file.ts";
import { hasBootEntries } from "../../src/images/efi_variables.ts";
import { cString, NSError, openFunctions } from "../../src/objc/mod.ts";
import {
  VZEFIBootLoader,
  VZEFIVariableStore,
  VZLinuxRosettaDirectoryShare,
  VZMultipleDirectoryShare,
  VZSharedDirectory,
  VZSingleDirectoryShare,
  VZVirtioBlockDeviceConfiguration,
  VZVirtioFileSystemDeviceConfiguration,
} from "../../src/vz/mod.ts";
import { image, isFree, SHARED_WORDS } from "./guest.ts";
import { configuration, configurationOf, Machine, refusal, wordsOf } from "./machine.ts";
import { found, type Probe, unclear } from "./probe.ts";

const libc = openFunctions("system", {
  clonefile: { parameters: ["buffer", "buffer", "u32"], result: "i32" },
});

/** The error that something fails with. */
function errorOf(body: () => unknown): NSError | undefined {
  try {
    body();
    return undefined;
  } catch (error) {
    if (error instanceof NSError) return error;
    throw error;
  }
}

const INVALID_DISK = "The storage device attachment is invalid.";

/** In the order in which they are run. */
export const DISKS: readonly Probe[] = [
  {
    name: "disk-missing",
    question: "Is an image that is not there told by the attachment's initializer, in these words? (row 10)",
    expected: "NSPOSIXErrorDomain 45",
    run(lab) {
      const error = errorOf(() => image(lab.file("no-disk")));
      return found(
        error?.domain === "NSPOSIXErrorDomain" && error.code === 45,
        error ? wordsOf(error) : "no error",
      );
    },
  },
  {
    name: "disk-lock",
    question:
      "Has the framework an image locked while a machine that may write it runs, and not before? (row 7)",
    expected: "flock is refused to others from the start on",
    async run(lab) {
      const guest = await lab.guest();
      const locked = !isFree(guest.host.disk);
      const seen = `before the start ${guest.wasFree ? "free" : "locked"}, then ${
        locked ? "locked" : "free"
      }`;
      return found(guest.wasFree && locked, seen);
    },
  },
  {
    name: "disk-twice",
    question: "Is an image of a running machine refused to another, when, and in which words? (row 7)",
    expected:
      `at the start, not at validation: VZErrorDomain 2, “… ${INVALID_DISK}”, without the file's name`,
    async run(lab) {
      const guest = await lab.guest();
      const made = configuration();
      let attachment;
      const early = errorOf(() => attachment = image(guest.host.disk));
      if (early) return found(false, `at the attachment: ${wordsOf(early)}`);
      made.storageDevices = [VZVirtioBlockDeviceConfiguration.create(attachment!)];
      const invalid = refusal(made);
      if (invalid) return found(false, `at validation: ${wordsOf(invalid)}`);
      await using second = await Machine.create(made);
      const error = await second.start();
      const words = wordsOf(error);
      const holds = error?.domain === "VZErrorDomain" && error.code === 2 && words.includes(INVALID_DISK) &&
        !words.includes("guest-disk");
      return found(holds, error ? `at the start: ${words}` : "both machines run");
    },
  },
  {
    name: "disk-own-lock",
    question: "Does a lock that this very process holds keep a machine from its image? (row 7)",
    expected: `it does: VZErrorDomain 2, “… ${INVALID_DISK}”`,
    async run(lab) {
      const path = lab.disk("locked-disk");
      using file = Deno.openSync(path);
      file.lockSync(false);
      const made = configuration();
      made.storageDevices = [VZVirtioBlockDeviceConfiguration.create(image(path))];
      await using machine = await Machine.create(made);
      const error = await machine.start();
      return found(
        error?.code === 2 && wordsOf(error).includes(INVALID_DISK),
        error ? wordsOf(error) : "it starts",
      );
    },
  },
  {
    name: "efi-store-twice",
    question: "Is a variable store made, and refused to a second machine while one has it? (row 8)",
    expected: "at the start: VZErrorDomain 2, “… The boot loader is invalid.”, and below it 50002",
    async run(lab) {
      const path = lab.file("variables");
      const store = VZEFIVariableStore.create(path);
      const boot = (store: VZEFIVariableStore) =>
        Machine.create(configurationOf(VZEFIBootLoader.create(store)));
      await using first = await boot(store);
      await using second = await boot(VZEFIVariableStore.open(path));
      const failed = await first.start();
      if (failed) return found(false, `the first: ${wordsOf(failed)}`);
      const error = await second.start();
      const words = error ? wordsOf(error) : "both machines run";
      const holds = error?.code === 2 && words.includes("The boot loader is invalid") &&
        words.includes(" 50002 ");
      return found(holds, `${words}; the store has ${Deno.statSync(path).size} bytes`);
    },
  },
  {
    name: "efi-store-form",
    question: "Is a variable store of EDK2's form, by which an installed system's boot entries are found?",
    expected: "its mark, _FVH, and no such entry in a new one",
    run(lab) {
      const path = lab.file("form");
      VZEFIVariableStore.create(path);
      const bytes = Deno.readFileSync(path);
      const holds = !hasBootEntries(bytes); // of another form it may have some
      const head = bytes.subarray(0, 64).toHex();
      return found(holds, `${holds ? "the mark, and no entry" : "entries, or another form"}: ${head}`);
    },
  },
  {
    name: "clonefile",
    question: "Does clonefile copy a disk, for -snapshot?",
    expected: "on APFS; elsewhere Deno copies",
    run(lab) {
      const [from, to] = [lab.disk("original"), lab.file("clone")];
      Deno.writeTextFileSync(from, "something", { append: true });
      const result = libc.clonefile(cString(from), cString(to), 0);
      if (result !== 0) return unclear("clonefile refuses: is the temporary folder on APFS?");
      const same = Deno.readTextFileSync(to) === Deno.readTextFileSync(from);
      return found(same, same ? "the copy is the same" : "the copy differs");
    },
  },
  {
    name: "sync",
    question: "Can a large file be written while it is synced, and for how long is it synced then?",
    expected: "it can; the figures tell what it costs",
    async run(lab) {
      const path = lab.file("synced");
      using file = Deno.openSync(path, { write: true, create: true });
      const made = new NewFile(file, path);
      const bytes = crypto.getRandomValues(new Uint8Array(65_536));
      const from = performance.now();
      for (let i = 0; i < 2048; i++) {
        made.writeSync(bytes);
        if (i % 16 === 0) await nextTurn();
      }
      const written = performance.now();
      await made.sync();
      const ms = [written - from, performance.now() - written].map(Math.round);
      const { size } = Deno.statSync(path);
      Deno.removeSync(path);
      return found(
        size === 2048 * bytes.length,
        `128 MiB written in ${ms[0]} ms, synced after ${ms[1]} more`,
      );
    },
  },
  {
    name: "share-tags",
    question: "Which tags of shares are refused, and in which words?",
    expected: "an empty one, and one of 36 bytes; not one of 35",
    run() {
      const share = VZSingleDirectoryShare.create(VZSharedDirectory.create("/", true));
      const [none, longest, tooLong] = ["", "t".repeat(35), "t".repeat(36)].map((tag) =>
        errorOf(() => VZVirtioFileSystemDeviceConfiguration.create(tag, share))
      );
      const words = (error?: NSError) => error ? wordsOf(error) : "taken";
      const seen = `empty: ${words(none)}; 35 bytes: ${words(longest)}; 36 bytes: ${words(tooLong)}`;
      return found(!!none && !longest && !!tooLong, seen);
    },
  },
  {
    name: "share-names",
    question: "Which names of folders under one tag are refused, and in which words?",
    expected: "an empty one, and one with a slash; not one with a space",
    run() {
      const folder = VZSharedDirectory.create("/", true);
      const [none, slash, space] = ["", "a/b", "a b"].map((name) =>
        errorOf(() => VZMultipleDirectoryShare.create(new Map([[name, folder], ["other", folder]])))
      );
      const words = (error?: NSError) => error ? wordsOf(error) : "taken";
      return found(
        !!none && !!slash && !space,
        `empty: ${words(none)}; a/b: ${words(slash)}; a b: ${words(space)}`,
      );
    },
  },
  {
    name: "share-read-only",
    question: "Can a guest read a share that is read-only, and not write it?",
    expected: "the file's words, and a read-only file system or no permission",
    async run(lab) {
      const guest = await lab.guest();
      const commands =
        "modprobe -q virtiofs; mkdir -p /share; mount -t virtiofs share /share || exit 9; cat /share/file; echo x >/share/file";
      const { status, out } = await guest.tell(commands);
      const inHost = Deno.readTextFileSync(`${guest.host.shared}/file`);
      if (status === 9) return unclear(`the guest cannot mount virtiofs: ${out}`);
      const seen = out.replaceAll("\n", " / ");
      return found(out.startsWith(SHARED_WORDS) && status !== 0 && inHost === SHARED_WORDS, seen);
    },
  },
  {
    name: "rosetta",
    question: "Is it known whether Rosetta for Linux is there?",
    expected: "installed or notInstalled on Apple silicon, notSupported elsewhere",
    run() {
      const { availability } = VZLinuxRosettaDirectoryShare;
      const isSilicon = Deno.build.os === "darwin" && Deno.build.arch === "aarch64";
      return found((availability === "notSupported") !== isSilicon, availability);
    },
  },
];
