// Disks that are no images: which URLs and file handles linux/ takes, and what a delegate hears of a server.

import { assertEquals } from "@std/assert";
import { Class, defineClass, NSError, type NSObject, webURL } from "../../src/objc/mod.ts";
import { fileHandle } from "../../src/host/descriptors.ts";
import { configuration, disks, Machine, State } from "./raw.ts";

const CLASS = "VZNetworkBlockDeviceStorageDeviceAttachment";

const attach = (url: string, timeout = 15, readOnly = false) =>
  Class.named(CLASS).create(
    "initWithURL:timeout:forcedReadOnly:synchronizationMode:error:",
    webURL(url),
    timeout,
    readOnly,
    0,
  );

/** The code of VZErrorDomain with which something is refused; 0 when it is not. */
function codeOf(body: () => unknown): number {
  try {
    body();
    return 0;
  } catch (error) {
    if (!(error instanceof NSError)) throw error;
    assertEquals(error.domain, "VZErrorDomain");
    return error.code;
  }
}

Deno.test("nbd of linux/: which URLs are a server's disk", () => {
  const urls: [string, number][] = [
    ["nbd://host", 0],
    ["nbd://host/", 0],
    ["nbd://host:1/name", 0],
    ["nbd://[::1]/name", 0],
    ["nbd+unix:///name?socket=/s", 0],
    ["nbd+unix:///?socket=/s", 0],
    ["nbd:///name", 2],
    ["nbd://host/name?socket=/s", 2],
    ["nbd+unix:///name", 2],
    ["nbd+unix:///name?socket=", 2],
    ["nbd+unix://host/name?socket=/s", 2],
    ["http://host/name", 2],
    ["file:///s", 2],
    ["nbds://host/name", 10],
  ];
  for (const [url, code] of urls) {
    assertEquals(codeOf(() => attach(url)), code, url);
    assertEquals(codeOf(() => Class.named(CLASS).send("validateURL:error:", webURL(url))), code, url);
  }
});

Deno.test("nbd of linux/: an attachment has what it was given, and a timeout of its own", () => {
  const given = attach("nbd://host/name", 2.5, true);
  assertEquals([given.send("timeout"), Boolean(given.send("isForcedReadOnly"))], [2.5, true]);
  assertEquals(String((given.send("URL") as NSObject).send("absoluteString")), "nbd://host/name");
  const plain = Class.named(CLASS).create("initWithURL:error:", webURL("nbd://host/name"));
  assertEquals([plain.send("timeout"), plain.send("synchronizationMode")], [15, 0n]);
  assertEquals(Boolean(plain.send("isForcedReadOnly")), false);
});

Deno.test("nbd of linux/: a start without the server fails as one, and the delegate hears nothing", async () => {
  const heard: string[] = [];
  const delegates = defineClass<string[]>("BlockDeviceTestDelegate", {
    "attachmentWasConnected:": { types: "v@:@", implementation: (heard) => heard.push("connected") },
    "attachment:didEncounterError:": { types: "v@:@@", implementation: (heard) => heard.push("error") },
  });
  const attachment = attach("nbd+unix:///name?socket=/nonexistent/socket");
  const delegate = delegates.create(heard);
  attachment.send("setDelegate:", delegate);
  const made = configuration();
  made.send("setStorageDevices:", disks(attachment));
  await using machine = new Machine(made);
  const [[domain, code]] = await machine.start();
  assertEquals([domain, code], ["VZErrorDomain", 20001]);
  assertEquals(await machine.state(), State.error);
  assertEquals(heard, []);
});

Deno.test("devices of linux/: a handle of what is no block device is refused", () => {
  const attach = (handle: NSObject) =>
    Class.named("VZDiskBlockDeviceStorageDeviceAttachment").create(
      "initWithFileHandle:readOnly:synchronizationMode:error:",
      handle,
      true,
      0,
    );
  const path = Deno.makeTempFileSync();
  try {
    using file = Class.named("NSFileHandle").send("fileHandleForReadingAtPath:", path) as NSObject;
    assertEquals(codeOf(() => attach(file)), 5);
    assertEquals(codeOf(() => attach(fileHandle(0))), 5);
  } finally {
    Deno.removeSync(path);
  }
});
