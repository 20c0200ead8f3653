// From a distribution's download to a login: README's one line, with an image that has Debian's own cloud-init.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../../scripts/free_ports.ts";
import { makeCloudImage } from "./cloud_image.ts";
import { Folder, ROOT, Vzrun, within } from "./vzrun.ts";

/** README's line: the image, the user-data and the port are what a reader has of his own. */
const LINE = /^vzrun -hda (\S+\.qcow2) (.*-cloud-init user-data .*hostfwd=tcp::)2222(-:22.*)$/m;

async function makeKey(path: string): Promise<string> {
  const args = ["-q", "-t", "ed25519", "-N", "", "-C", "reader@host", "-f", path];
  assert((await new Deno.Command("ssh-keygen", { args }).output()).success);
  return Deno.readTextFileSync(`${path}.pub`).trim();
}

async function ssh(
  port: number,
  key: string,
  command: string,
): Promise<{ code: number; out: string; err: string }> {
  const quiet = [
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
    "BatchMode=yes",
  ];
  const own = ["IdentitiesOnly=yes", "IdentityAgent=none"];
  const options = [...quiet, ...own].flatMap((option) => ["-o", option]);
  const args = ["-F", "none", ...options, "-i", key, "-p", `${port}`, "me@127.0.0.1", command];
  const ran = within("ssh", new Deno.Command("ssh", { args, stdin: "null" }).output());
  const { code, stdout, stderr } = await ran;
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("README's one line boots a cloud image, which lets in who has the key of the user-data", async () => {
  using folder = new Folder();
  const found = LINE.exec(Deno.readTextFileSync(`${ROOT}/README.md`));
  assert(found, "README has no such line");
  const [, image, before, after] = found;
  const [key, other] = [await makeKey(folder.file("key")), await makeKey(folder.file("other"))];
  assert(key !== other);
  const example = Deno.readTextFileSync(`${ROOT}/examples/user-data`);
  Deno.writeTextFileSync(folder.file("user-data"), example.replace(/ssh-ed25519 .*/, key));
  await makeCloudImage(folder, folder.file(image));

  const port = freePort();
  await using run = new Vzrun(["-hda", image, ...`${before}${port}${after}`.split(" ")], {
    cwd: folder.path,
  });
  await run.out.until("cloud image: ready");
  const { code, out, err } = await ssh(
    port,
    folder.file("key"),
    "id -un; cat /etc/motd; /sbin/blkid -o value -s LABEL /dev/vdb; exit 7",
  );
  assertEquals({ code, out, err }, { code: 7, out: "me\nMade by vzrun.\ncidata\n", err: "" });
  assertMatch((await ssh(port, folder.file("other"), "true")).err, /Permission denied/);
  run.signal("SIGTERM");
  assertEquals(await run.end(), 143); // by its power button, or it would have taken 10 s
  assertEquals(run.err.text.match(/^vzrun: /gm)?.length, 1, run.err.text);
});
