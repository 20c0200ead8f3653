/** Machines and accelerators of qemu's. */

import { type Answers, partsOf, readKeys } from "./answers.ts";
import type { Settings } from "./settings.ts";
import { takeWord } from "./values.ts";
import { UsageError } from "./usage_error.ts";

/** Why what is of emulation alone cannot be. */
export const EMULATION = "the framework emulates no processor: -accel hvf";

/** Accelerators of qemu. */
export const ACCELERATORS: Answers = {
  hvf: { so: "the processor's own virtualization is used" },
  kvm: { so: "the processor's own virtualization is used" },
  host: { so: "the processor's own virtualization is used" },
  tcg: { cannot: EMULATION },
  xen: { cannot: EMULATION },
  whpx: { cannot: EMULATION },
  nvmm: { cannot: EMULATION },
  qtest: { cannot: EMULATION },
};

/** `-accel`'s. */
export function takeAccelerators(text: string, option: string, settings: Settings): void {
  const [first, ...rest] = partsOf(text);
  const names = (first?.[0] === "accel" ? first[1] ?? "" : first?.[0] ?? "").split(":");
  // Of several the first that there is: what can be is enough.
  const known = names.find((name) => ACCELERATORS[name]?.so !== undefined) ?? names[0];
  takeWord(ACCELERATORS, known, option, settings.notes);
  readKeys(rest, ACCEL_KEYS, settings.notes);
}

const ACCEL_KEYS: Answers = {
  thread: { cannot: EMULATION },
  "tb-size": { cannot: EMULATION },
  "kernel-irqchip": {
    so: "interrupts are the framework's",
    values: ["on"],
    cannot: "interrupts are the framework's",
  },
};

/** Keys of `-machine`. */
export const MACHINE_KEYS: Answers = {
  type: { does: "as the first word" },
  accel: { does: "as -accel" },
  usb: { so: "USB is there when it is needed", values: ["on", "off"], cannot: "on or off" },
  graphics: { cannot: "-display window, or none" },
  acpi: { so: "there is ACPI, on Intel", values: ["on", "auto"], cannot: "there is no machine without it" },
  vmport: { so: "there is none", values: ["off", "auto"], cannot: "there is no VMware port" },
  smm: { so: "there is none", values: ["off", "auto"], cannot: "there is no SMM" },
  hpet: { so: "there is none", values: ["off"], cannot: "the clocks are the framework's" },
  pit: { cannot: "the clocks are the framework's" },
  "dump-guest-core": { so: "the guest's memory is in no core", values: ["off"], cannot: "it is in no core" },
  "mem-merge": { so: "pages are not merged", values: ["off"], cannot: "pages are not merged" },
  "kernel-irqchip": {
    so: "interrupts are the framework's",
    values: ["on"],
    cannot: "interrupts are the framework's",
  },
  "gic-version": {
    so: "the framework's is the host's",
    values: ["host", "max", "3"],
    cannot: "interrupts are the framework's",
  },
  highmem: { so: "memory is where it fits", values: ["on"], cannot: "memory is where it fits" },
  its: { cannot: "interrupts are the framework's" },
  virtualization: {
    so: "a guest has no guests of its own",
    values: ["off"],
    cannot: "a guest has no guests of its own yet",
  },
  secure: { so: "there is no secure world", values: ["off"], cannot: "there is no secure world" },
  "confidential-guest-support": { cannot: "the framework has none" },
  "memory-backend": { cannot: "the guest's memory is the framework's: -m" },
  nvdimm: { so: "there is none", values: ["off"], cannot: "the framework has no such device" },
  pflash0: { cannot: "the firmware is Apple's own: -efi" },
  pflash1: { cannot: "the firmware is Apple's own: -efi, and -efi-vars FILE for its variables" },
};

const TYPES = [
  { looks: /^(q35|pc|pc-q35-[\d.]+|pc-i440fx-[\d.]+)$/, arch: "x86_64" },
  { looks: /^virt(-[\d.]+)?$/, arch: "aarch64" },
];

/** `-machine`'s. */
export function takeMachine(settings: Settings, text: string): void {
  const [first, ...rest] = partsOf(text);
  const [type, parts] = first?.[1] === undefined ? [first?.[0], rest] : [undefined, [first, ...rest]];
  const given = readKeys(parts, MACHINE_KEYS, settings.notes);
  const name = type ?? given.type;
  if (name !== undefined) {
    const found = TYPES.find(({ looks }) => looks.test(name));
    const { arch } = Deno.build;
    if (!found) throw new UsageError(`'${name}': there is one machine, the framework's: leave -machine out`);
    if (found.arch !== arch) {
      throw new UsageError(`'${name}' is for ${found.arch}, and guests here are for ${arch}`);
    }
    settings.notes.push(`-machine ${name}: there is one machine, the framework's`);
  }
  if (given.accel !== undefined) takeAccelerators(given.accel, "-machine accel", settings);
}

/** Why it is so with -cpu host, and with no other. */
export const PROCESSOR = "the guest has the host's processor: -cpu host";
