import type { MachineError, Setting } from "../../machine/error.ts";

/** What an error starts with that is about a field of these: the option. Others name the file that they are about. */
const OPTIONS: Record<string, string> = {
  memory: "-m: ",
  processors: "-smp: ",
  serial: "-serial: ",
  name: "-name: ",
  uuid: "-uuid: ",
  display: "-display: ",
  "boot.commandLine": "-append: ",
  rosetta: "-rosetta ",
  "vsock.ready": "-ready: ",
};

/** Keys that are called otherwise than the fields: of `-drive`, and of `-nic`. */
const KEYS: Record<string, string> = {
  readOnly: "readonly",
  interface: "if",
  subnet: "net",
  guestAddress: "dhcpstart",
};

/** What is an option, and no key of one. */
const SETTINGS: Record<string, string> = {
  usb: "-device qemu-xhci",
  nested: "-machine virtualization=on",
  name: "id= of -virtfs",
};

function wordSetting({ name, value }: Setting): string {
  if (Object.hasOwn(SETTINGS, name)) return SETTINGS[name];
  const worded = value === true ? "on" : value === false ? "off" : value ?? "";
  return `${KEYS[name] ?? name}=${worded}`;
}

/** What is wrong with a machine, in the words of the command line. */
export function wordError(error: MachineError): string {
  const field = error.field?.replace(/\[\d+\]/g, "") ?? "";
  const option = /^network\b(?!\.interface)/.test(field)
    ? "-nic: "
    : /^vsock\.join\b/.test(field)
    ? "-vsock: "
    : OPTIONS[field] ?? "";
  return option + error.worded(wordSetting);
}
