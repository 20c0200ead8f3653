import { assertEquals, assertThrows } from "@std/assert";
import { MachineError } from "../../src/machine/error.ts";
import { checkVsock, withNotifySocket } from "../../src/machine/vsock.ts";

const LINUX = { kind: "linux", kernel: "vmlinuz" } as const;

Deno.test("vsock: what asks systemd for its word is the kernel's, and not init's", () => {
  const word = "systemd.set_credential=vmm.notify_socket:vsock-stream:2:1987736181";
  assertEquals(withNotifySocket("", {}), word);
  assertEquals(withNotifySocket("console=hvc0", {}), `console=hvc0 ${word}`);
  assertEquals(withNotifySocket("quiet -- single", {}), `quiet ${word} -- single`);
  assertEquals(withNotifySocket("quiet --", {}), `quiet ${word} --`);
  assertEquals(withNotifySocket("a=--b", {}), `a=--b ${word}`);
});

Deno.test("vsock: a path has room for a guest's port behind it, and one to connect to need not be there", () => {
  const path = `/tmp/${"x".repeat(90)}`;
  checkVsock({ join: [{ kind: "connect", port: 1, path }] }, LINUX);
  const error = assertThrows(() => checkVsock({ join: [{ kind: "hybrid", path }] }, LINUX), MachineError);
  assertEquals(error.field, "vsock.join[0].path");
  checkVsock({ join: [{ kind: "listen", port: 1, path: "/no/such/folder/socket" }] }, LINUX);
  const empty = assertThrows(
    () => checkVsock({ join: [{ kind: "listen", port: 1, path: "" }] }, LINUX),
    MachineError,
  );
  assertEquals(empty.worded(), "cannot connect to '': the path is empty");
});
