/** Machines and accelerators of qemu's. */

import { type Answers, type Notes, partsOf, readKeys } from "./answers.ts";
import { namedIn, type Settings } from "./settings.ts";
import { UsageError } from "./usage_error.ts";
import { onOff } from "./values.ts";

/** Why what is of emulation alone cannot be. */
export const EMULATION = "the framework emulates no processor";

/** Accelerators of qemu. */
export const ACCELERATORS: Answers = {
  hvf: { so: "the processor's own virtualization is used" },
  kvm: { so: "the processor's own virtualization is used" },
  tcg: { cannot: `${EMULATION}: -accel hvf` },
  xen: { cannot: "the processor's own virtualization is used: -accel hvf" },
  whpx: { cannot: "the processor's own virtualization is used: -accel hvf" },
  nvmm: { cannot: "the processor's own virtualization is used: -accel hvf" },
  hax: { cannot: "the processor's own virtualization is used: -accel hvf" },
  mshv: { cannot: "the processor's own virtualization is used: -accel hvf" },
  nitro: { cannot: "the processor's own virtualization is used: -accel hvf" },
  qtest: { cannot: "it is of qemu's own tests" },
};

/** `-accel`'s, and `-machine accel=`'s: of several, in one option or more, one that there is is enough. */
export function takeAccelerators(text: string, option: string, settings: Settings): void {
  const [first, ...rest] = partsOf(text);
  const names = (first?.[0] === "accel" ? first[1] ?? "" : first?.[0] ?? "").split(":");
  const found = names.map((name) => Object.hasOwn(ACCELERATORS, name) ? ACCELERATORS[name] : undefined);
  const unknown = names.find((_, i) => !found[i]);
  if (unknown !== undefined) throw new UsageError(`unknown accelerator '${unknown}': hvf, or kvm`);
  const can = found.find((answer) => answer?.so !== undefined);
  const given = `${option} ${text}`;
  if (can) settings.notes.push(`${given}: ${can.so}`);
  namedIn(settings).accelerators.push({ given, ...!can && { problem: found[0]?.cannot } });
  if (can) readKeys(rest, ACCEL_KEYS, settings.notes);
}

/** Keys of `-accel`. */
export const ACCEL_KEYS: Answers = {
  thread: { cannot: EMULATION },
  "tb-size": { cannot: EMULATION },
  "kernel-irqchip": {
    so: "interrupts are the framework's",
    values: ["on"],
    cannot: "interrupts are the framework's",
  },
  "dirty-ring-size": { cannot: "how changed memory is found is the framework's" },
  "ipa-granule-size": { cannot: "how memory is laid out is the framework's" },
};

/** Keys of `-machine`. */
export const MACHINE_KEYS: Answers = {
  type: { does: "as the first word" },
  accel: { does: "as -accel" },
  usb: { so: "USB is there when it is needed", values: ["on", "off"], cannot: "on or off" },
  graphics: { cannot: "-display window, or none" },
  acpi: { so: "there is ACPI, on Intel", values: ["on", "auto"], cannot: "there is no machine without it" },
  vmport: { so: "there is none", values: ["off", "auto"], cannot: "there is no VMware port" },
  smm: { so: "there is none", values: ["off"], cannot: "there is no SMM" },
  hpet: { cannot: "the clocks are the framework's" },
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
  "kernel_irqchip": {
    so: "interrupts are the framework's",
    values: ["on"],
    cannot: "interrupts are the framework's",
  },
  i8042: { so: "there is none", values: ["off"], cannot: "the keyboard is a USB one" },
  sata: { so: "there is none", values: ["off"], cannot: "disks are on virtio, usb or nvme" },
  smbus: { so: "there is none", values: ["off"], cannot: "there is none" },
  pic: { cannot: "interrupts are the framework's" },
  "max-ram-below-4g": { cannot: "memory is where it fits" },
  hmat: { so: "there is none", values: ["off"], cannot: "the guest's memory is in one piece" },
  cxl: { so: "there is none", values: ["off"], cannot: "the framework has none" },
  "suppress-vmdesc": { cannot: "machines do not move" },
  "memory-encryption": { cannot: "the framework has none" },
  "smbios-entry-point-type": { cannot: "the framework tells the guest what there is" },
  "pcspk-audiodev": { cannot: "there is no sound yet" },
  highmem: { so: "memory is where it fits", values: ["on"], cannot: "memory is where it fits" },
  its: { cannot: "interrupts are the framework's" },
  virtualization: { does: "the guest can have guests of its own" },
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
  const name = type ?? parts.find((part) => part?.[0] === "type")?.[1];
  if (name !== undefined) {
    const found = TYPES.find(({ looks }) => looks.test(name));
    const { arch } = Deno.build;
    if (!found) throw new UsageError(`'${name}': there is one machine, the framework's: leave -machine out`);
    if (found.arch !== arch) {
      throw new UsageError(`'${name}' is for ${found.arch}, and guests here are for ${arch}`);
    }
    settings.notes.push(`-machine ${name}: there is one machine, the framework's`);
  }
  const given = readKeys(parts as [string, string?][], MACHINE_KEYS, settings.notes);
  if (given.virtualization !== undefined) settings.nested = onOff(given.virtualization, "virtualization");
  if (given.accel !== undefined) takeAccelerators(given.accel, "-machine accel", settings);
}

/** Why it is so with -cpu host, and with no other. */
export const PROCESSOR = "the guest has the host's processor: -cpu host";

/** `-cpu`'s. */
export function takeProcessor(text: string, notes: Notes): void {
  const [model, ...features] = text.split(",");
  if (model !== "host" && model !== "max") throw new UsageError(PROCESSOR);
  if (features.length > 0) {
    throw new UsageError(`${features[0]}: the guest has what the host's processor has: -cpu host`);
  }
  notes.push(`-cpu ${text}: ${PROCESSOR.replace(/:.*/, "")}`);
}

/**
 * Apple's VZVirtualMachineDelegate hears of a guest's powering off, and of nothing else that a guest does: a reset is made
 * within the machine, whose state stays running.
 */
export const NO_REBOOT = "the framework tells nobody of a reboot, and the guest goes on: have it power off";
/** The framework's machine cannot be looked at when it has stopped. */
export const NO_SHUTDOWN = "nothing is left of a machine that has powered off: -serial file: keeps its words";

/** Keys of `-action`. */
export const ACTION_KEYS: Answers = {
  reboot: { so: "a guest that reboots goes on", values: ["reset"], cannot: NO_REBOOT },
  shutdown: {
    so: "a guest that powers off is the end of the run",
    values: ["poweroff"],
    cannot: NO_SHUTDOWN,
  },
  panic: {
    so: "nothing is done",
    values: ["none"],
    cannot: "the framework tells nobody: -append panic=SECONDS has the kernel reboot",
  },
  watchdog: { so: "there is none", values: ["none"], cannot: "the framework has no watchdog" },
};
