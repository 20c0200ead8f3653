// What a cloud image is told: Debian's own cloud-init reads it from the volume, as it reads that of cloud-localds.

import { gzipSync } from "node:zlib";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { userDataProblem } from "../../src/images/user_data.ts";
import { Cleanup } from "../../src/machine/cleanup.ts";
import { type CloudInit, makeSeed } from "../../src/machine/cloud_init.ts";
import { silentContext } from "../../src/machine/run_context.ts";
import { Folder, ROOT } from "../e2e/vzrun.ts";

/** The packages of the cloud image, whose programs run here as well. */
const PACKAGES = `${ROOT}/build/guest/packages/cloud`;

async function run(program: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  assert(success, `${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Runs Debian's Python on what is in the packages. */
async function nocloud(...args: string[]): Promise<unknown> {
  const [folder] = Array.from(Deno.readDirSync(`${PACKAGES}/lib`), ({ name }) => name).filter((name) =>
    name.endsWith("-linux-gnu")
  );
  const [linker] = Array.from(Deno.readDirSync(`${PACKAGES}/lib/${folder}`), ({ name }) => name).filter((
    name,
  ) => /^ld-linux.*\.so/.test(name));
  const libraries = ["lib", "usr/lib"].map((lib) => `${PACKAGES}/${lib}/${folder}`).join(":");
  const programs = Array.from(Deno.readDirSync(`${PACKAGES}/usr/bin`), ({ name }) => name);
  const python = `${PACKAGES}/usr/bin/${programs.find((name) => /^python3\.\d+$/.test(name))}`;
  const script = `${ROOT}/tests/images/programs/nocloud.py`;
  const env = { PYTHONHOME: `${PACKAGES}/usr`, PYTHONDONTWRITEBYTECODE: "1" };
  return JSON.parse(
    await run(
      `${PACKAGES}/lib/${folder}/${linker}`,
      ["--library-path", libraries, python, script, ...args],
      env,
    ),
  );
}

interface Found {
  found: boolean;
  instance: string;
  host: string | null;
  userData: string;
  vendorData: string | null;
  networkConfig: unknown;
}

/** What cloud-init finds on the volumes that are made of these. */
async function told(...all: [what: CloudInit, name?: string][]): Promise<Found[]> {
  const context = silentContext();
  await using cleanup = new Cleanup(context);
  const { signal } = context;
  const files: string[] = [];
  for (const [what, name] of all) {
    const { file } = await makeSeed(what, name, { dryRun: false, signal, cleanup, reporter: context });
    assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
    await run("/sbin/fsck.vfat", ["-n", file]);
    files.push(file);
  }
  return await nocloud("seed", ...files) as Found[];
}

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFRISVNpc25vdGFrZXlvZmFueWJvZHlUSElTaXNub3Qx a "b" c';

Deno.test("cloud-init finds user-data, vendor-data, the network and who it is, as with cloud-localds", async () => {
  using folder = new Folder();
  const userData = "#cloud-config\nhostname: x\n# ünïcödé\n";
  const networkConfig = "version: 2\nethernets:\n  eth0:\n    dhcp4: true\n";
  const vendorData = "#!/bin/sh\necho vendor\n";
  Deno.writeTextFileSync(folder.file("u"), userData);
  Deno.writeTextFileSync(folder.file("n"), networkConfig);
  Deno.writeTextFileSync(folder.file("v"), vendorData);
  const names = ["-H", "web1", "-N", folder.file("n"), "-V", folder.file("v")];
  const localds = `${PACKAGES}/usr/bin/cloud-localds`;
  const PATH = `${Deno.env.get("PATH")}:/usr/sbin:/sbin`;
  await run("/bin/bash", [localds, "-f", "vfat", ...names, folder.file("oracle"), folder.file("u")], {
    PATH,
  });
  const [{ instance: _, ...oracle }] = await nocloud("seed", folder.file("oracle")) as Found[];
  const all = {
    userData: { file: folder.file("u") },
    vendorData: { text: vendorData },
    networkConfig: { file: folder.file("n") },
  };
  // The same instance for the same, and another one for anything else.
  const others: [CloudInit, string?][] = [
    [all, "web2"],
    [{ ...all, userData: { text: `${userData} ` } }, "web1"],
    [{ ...all, vendorData: { text: `${vendorData} ` } }, "web1"],
    [{ userData: { text: userData }, networkConfig: { text: networkConfig } }, "web1"],
  ];
  const [{ instance, ...found }, again, ...changed] = await told([all, "web1"], [all, "web1"], ...others);
  assertEquals(again.instance, instance);
  assertMatch(instance, /^vzrun-[0-9a-f]{20}$/);
  assertEquals(new Set([instance, ...changed.map(({ instance }) => instance)]).size, 1 + others.length);
  assertEquals(found, oracle);
  assert(found.found);
  assertEquals(found.host, "web1");
});

Deno.test("meta-data that is given is taken as it is, and packed user-data too", async () => {
  using folder = new Folder();
  Deno.writeFileSync(folder.file("u"), gzipSync("#!/bin/sh\n"));
  const metaData = { text: '{"instance-id": "mine", "local-hostname": "h"}' };
  const packed = { userData: { file: folder.file("u") }, metaData };
  const [{ instance, host, userData }] = await told([packed, "other"]);
  assertEquals({ instance, host, userData }, { instance: "mine", host: "h", userData: "#!/bin/sh\n" });
});

Deno.test("keys alone are user-data that cloud-init reads, and a name of digits stays a name", async () => {
  const keys = [{ text: `${KEY}\n# one more\n${KEY}2\n` }];
  const [{ userData, host }] = await told([{ sshKeys: keys }, "007"]);
  assertEquals(host, "007");
  assertEquals(
    userData,
    `#cloud-config\nssh_authorized_keys:\n  - ${JSON.stringify(KEY)}\n  - ${JSON.stringify(`${KEY}2`)}\n`,
  );
});

/** What a user may have written; cloud-init tells which of it is read. */
const WRITTEN: (string | Uint8Array)[] = [
  "#cloud-config\nusers: [default]\n",
  "#cloud-config\r\nusers:\r\n  - default\r\n",
  "\n\n  #Cloud-Config\na: b\n",
  "#cloud-config\n",
  "#cloud-config",
  "#cloud-config\na: 1\na: 2\n",
  "#cloud-config\nwhen: 2026-01-02\nno: off\nbase: &x {a: 1}\nmore:\n  <<: *x\n",
  "#cloud-config\nwrite_files:\n  - path: /Makefile\n    content: |\n      all:\n      \ttrue\n",
  "#cloud-config\nusers:\n\t- default\n",
  "#cloud-config\nusers:\n  -\tdefault\n \tx: 1\n",
  "#cloud-config\na: [1, 2\nb: }\n",
  "#cloud-config\na: b: c\n",
  "#cloud-config\n- a\n",
  "#cloud-config\njust words\n",
  "#cloud-config\na: @b\n",
  "#cloud-config\na: !!python/object:x {}\n",
  "#cloud-config\na: 'it''s'\nb: \"\\u00e9\"\n",
  "#!/bin/sh\necho $'\\t'\n",
  "#cloud-boothook\n#!/bin/sh\n",
  "#part-handler\ndef list_types(): return []\n",
  "#cloud-config-archive\n- type: text/cloud-config\n  content: |\n    a: 1\n",
  "#cloud-config-jsonp\n[]\n",
  "#include\n",
  "MIME-Version: 1.0\nContent-Type: text/cloud-config\n\na: 1\n",
  'Content-Type: multipart/mixed; boundary="b"\nMIME-Version: 1.0\n\n--b\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n--b--\n',
  "Content-Type: text/cloud-config\n\n#cloud-config\na: 1\n",
  "# cloud-config\na: 1\n",
  "users: [default]\n",
  "echo hello\n",
  "\ufeff#cloud-config\na: 1\n",
  gzipSync("#cloud-config\na: 1\n"),
  gzipSync("nothing\n"),
  " \n",
];

Deno.test("what is refused as user-data is what cloud-init does not read, and nothing else", async () => {
  using folder = new Folder();
  const files = WRITTEN.map((text, i) => {
    Deno.writeFileSync(folder.file(`${i}`), typeof text === "string" ? new TextEncoder().encode(text) : text);
    return folder.file(`${i}`);
  });
  const read = await nocloud("user-data", ...files) as { types: string[]; isRead: boolean; error?: string }[];
  for (const [i, file] of files.entries()) {
    const { types, isRead, error } = read[i];
    const isKnown = isRead && !types.includes("text/x-not-multipart") && !types.includes("text/plain");
    const problem = await userDataProblem(Deno.readFileSync(file));
    assertEquals(
      problem === undefined,
      isKnown,
      `${JSON.stringify(WRITTEN[i])}: ${problem}; cloud-init: ${types} ${isRead} ${error}`,
    );
  }
});
