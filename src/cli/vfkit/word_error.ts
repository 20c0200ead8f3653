import type { MachineError, Setting } from "../../machine/error.ts";

/** What an error starts with that is about a field of these: the option or the device. */
const OPTIONS: [RegExp, string][] = [
  [/^memory/, "--memory: "],
  [/^processors/, "--cpus: "],
  [/^boot\.commandLine/, "--bootloader linux: "],
  [/^serial/, "virtio-serial: "],
  [/^network/, "virtio-net: "],
  [/^vsock/, "virtio-vsock: "],
  [/^display/, "virtio-gpu: "],
  [/^rosetta/, "rosetta: "],
  [/^cloudInit/, "--cloud-init: "],
];

/** Keys that are called otherwise than the fields. */
const KEYS: Record<string, string> = { readOnly: "readonly", serial: "deviceId", tag: "mountTag" };

function wordSetting({ name, value }: Setting): string {
  const key = KEYS[name] ?? name;
  return value === true ? key : `${key}=${value ?? ""}`;
}

/** What is wrong with a machine, in vfkit's words. */
export function wordError(error: MachineError): string {
  const [, option = ""] = OPTIONS.find(([field]) => field.test(error.field ?? "")) ?? [];
  return option + error.worded(wordSetting);
}
