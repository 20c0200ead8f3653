import { assert, assertEquals, assertGreater, assertMatch, assertNotMatch } from "@std/assert";
import { guestOfThisFile } from "./guest_shell.ts";
import { contents, eventually, Folder, guest, stateOf, Vzrun } from "./vzrun.ts";

/** Shell commands that mount each tag at /tag. */
function mount(...tags: string[]): string {
  const each = tags.map((tag) => `mkdir /${tag} && mount -t virtiofs ${tag} /${tag}`);
  return ["modprobe -q virtiofs", ...each].join("; ");
}

async function sha256(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
}

const folder = new Folder();
Deno.test.afterAll(() => folder[Symbol.dispose]());
const NUMBERS = Array.from({ length: 40 }, (_, i) => i);

/** The guest that has all shares but those that are to end in another way. */
const inGuest = guestOfThisFile(() => {
  for (const name of ["here", "there", "shared,ro", "one", "two"]) Deno.mkdirSync(folder.file(name));
  const args = ["-share", "src", "here", "-virtfs", "local,path=there,mount_tag=dst"];
  args.push("-share", "r", "shared,ro,ro", "-share", "w", "shared,ro/");
  args.push("-virtfs", "local,path=shared,,ro,mount_tag=v,readonly=on");
  args.push("-virtfs", "local,path=one,mount_tag=both,id=first one");
  args.push("-virtfs", "local,path=two,mount_tag=both,id=second,readonly=on");
  for (const i of NUMBERS) {
    Deno.mkdirSync(folder.file(`${i}`));
    Deno.writeTextFileSync(folder.file(`${i}/file`), `${i} `);
    args.push("-share", `t${i}`, `${i}`);
  }
  return { args, how: { cwd: folder.path } };
});

Deno.test("share: 1,000 files compare equal, those of the host in the guest and those of the guest in the host", async () => {
  await inGuest(mount("src", "dst"));
  const sums: string[] = [];
  for (let i = 0; i < 1000; i++) {
    const text = `${i} `.repeat(i * 7);
    Deno.writeTextFileSync(folder.file(`here/file ${i}`), text);
    sums.push(`${await sha256(text)}  ./file ${i}`);
  }
  const commands = "cd /src; find . -type f -print0 | xargs -0 sha256sum >/dst/sums; " +
    "mkdir /dst/files; cp * /dst/files; echo done";
  assertEquals(await inGuest(commands), { status: 0, out: "done\r\n" });
  assertEquals(contents(folder.file("there/sums")).trimEnd().split("\n").sort(), sums.sort());
  const names = [...Deno.readDirSync(folder.file("here"))].map(({ name }) => name).sort();
  assertEquals([...Deno.readDirSync(folder.file("there/files"))].map(({ name }) => name).sort(), names);
  const differ = names.filter((name) =>
    contents(folder.file(`here/${name}`)) !== contents(folder.file(`there/files/${name}`))
  );
  assertEquals(differ, []);
  const owners = names.map((name) => Deno.statSync(folder.file(`there/files/${name}`)).uid);
  assertEquals([...new Set(owners)], [Deno.uid()]);
});

Deno.test("share: a read-only one refuses writes, also when the folder is shared twice", async () => {
  await inGuest(mount("r", "w", "v"));
  Deno.writeTextFileSync(folder.file("shared,ro/word"), "hello\n");
  const tries =
    "cat /r/word /v/word; echo x 2>/dev/null >/r/new || echo refused; rm /r/word 2>/dev/null || echo refused; " +
    "echo x 2>/dev/null >>/v/word || echo refused; chmod 777 /v/word 2>/dev/null || echo refused; " +
    "mount -o remount,rw /r; mkdir /r/folder 2>/dev/null || echo refused; " +
    "echo from the guest >/w/new; cat /r/new";
  assertEquals(await inGuest(tries), {
    status: 0,
    out: "hello\r\nhello\r\n" + "refused\r\n".repeat(5) + "from the guest\r\n",
  });
  assertEquals([...Deno.readDirSync(folder.file("shared,ro"))].map(({ name }) => name).sort(), [
    "new",
    "word",
  ]);
  assertEquals(contents(folder.file("shared,ro/word")), "hello\n");
});

Deno.test("share: several folders under one tag are folders there, each with its own rights", async () => {
  await inGuest(mount("both"));
  for (const name of ["one", "two"]) Deno.writeTextFileSync(folder.file(`${name}/word`), `of ${name}\n`);
  const tries =
    "cd /both; ls -1; cat */word; echo from the guest >'first one/new'; mv 'first one/new' 'first one/moved'; " +
    "echo x 2>/dev/null >second/new || echo refused; rm second/word 2>/dev/null || echo refused; " +
    "chmod 777 second/word 2>/dev/null || echo refused; mkdir third 2>/dev/null || echo refused; " +
    "mount -o remount,rw /both; echo x 2>/dev/null >new || echo refused; rmdir second 2>/dev/null || echo refused; " +
    "stat -c %d 'first one' second . | sort -u | wc -l; cd /";
  const out = ["first one", "second", "of one", "of two", ...Array(6).fill("refused"), "3", ""].join("\r\n");
  assertEquals(await inGuest(tries), { status: 0, out });
  assertEquals(contents(folder.file("one/moved")), "from the guest\n");
  assertEquals([...Deno.readDirSync(folder.file("two"))].map(({ name }) => name), ["word"]);
  assertEquals(contents(folder.file("two/word")), "of two\n");
});

Deno.test("share: a guest can have more of them than the PCI bus has slots", async () => {
  const commands = "modprobe -q virtiofs; i=0; " +
    "while [ $i -lt 40 ]; do mount -t virtiofs t$i /mnt; cat /mnt/file; umount /mnt; i=$((i + 1)); done; echo";
  assertEquals(await inGuest(commands), { status: 0, out: `${NUMBERS.join(" ")} \r\n` });
});

for (const [end, code] of [["SIGTERM", 143], ["SIGKILL", 137]] as const) {
  Deno.test(`share: nothing that served it is left after ${end}`, async () => {
    using folder = new Folder();
    const [cwd, TMPDIR] = [folder.file("shared"), folder.file("tmp")];
    for (const path of [cwd, TMPDIR]) Deno.mkdirSync(path);
    const args = [...guest(`${mount("a", "b")}; echo up >/a/file; cat /b/file; sleep 1000`)];
    await using run = new Vzrun([...args, "-share", "a", ".", "-share", "b", "."], { cwd, env: { TMPDIR } });
    await run.out.until("up\r\n");
    const { family } = run;
    assertGreater(family.length, 2);
    run.signal(end);
    assertEquals(await run.end(10), code);
    const left = () => family.filter(({ pid }) => stateOf(pid) !== undefined);
    await eventually(`the end of ${family.map(({ name }) => name)}`, () => left().length === 0, 5);
    assertEquals([...Deno.readDirSync(cwd)].map(({ name }) => name), ["file"]);
    assertEquals([...Deno.readDirSync(TMPDIR)], []);
  });
}

Deno.test("share: when what serves it is killed the exit code is 1, and one line says so", async () => {
  using folder = new Folder();
  const commands = `${mount("a")}; echo up; sleep 1000`;
  await using run = new Vzrun([...guest(commands), "-share", "a", "."], { cwd: folder.path });
  await run.out.until("up\r\n");
  const servers = run.family.filter(({ name }) => name.startsWith("virtiofsd"));
  assert(servers.length > 0);
  for (const { pid } of servers) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It has gone with another of them.
    }
  }
  assertEquals(await run.end(10), 1);
  assertMatch(run.err.text, /^vzrun: [^\n]*shared directory “a” was killed by signal 9[^\n]*\n$/);
  assertNotMatch(run.err.text, /kernel/);
});
