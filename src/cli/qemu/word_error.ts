import type { MachineError, Setting } from "../../machine/error.ts";

/** What an error starts with that is about a field of these: the option. Others name the file that they are about. */
const OPTIONS: Record<string, string> = {
  memory: "-m: ",
  processors: "-smp: ",
  network: "-nic: ",
  serial: "-serial: ",
  "network.mac": "-nic: ",
  name: "-name: ",
  uuid: "-uuid: ",
  display: "-display: ",
  "boot.commandLine": "-append: ",
  rosetta: "-rosetta ",
};

/** The keys of `-drive` that are called otherwise than the fields of a disk. */
const KEYS: Record<string, string> = { readOnly: "readonly", interface: "if" };

function wordSetting({ name, value }: Setting): string {
  const worded = value === true ? "on" : value === false ? "off" : value ?? "";
  return `${KEYS[name] ?? name}=${worded}`;
}

/** What is wrong with a machine, in the words of the command line. */
export function wordError(error: MachineError): string {
  return (OPTIONS[error.field?.replace(/\[\d+\]/g, "") ?? ""] ?? "") + error.worded(wordSetting);
}
