import { assert, assertEquals, assertRejects } from "@std/assert";
import { MachineError } from "vzrun";
import { SavedGuest, small } from "./saved_guest.ts";
import { Folder } from "./vzrun.ts";

const MiB = 1024 * 1024;

Deno.test("save: a guest goes on where it was, with its memory, its disk and its address, and saves again", async () => {
  using folder = new Folder();
  const [disk, saved] = [folder.file("disk"), folder.file("saved")];
  let before: string;
  const mark = "cat /tmp/mark; sha256sum /dev/vda; cat /sys/class/net/eth0/address";
  {
    await using guest = await SavedGuest.boot(small(undefined, {
      disks: [{ file: disk, size: 8 * MiB }],
      network: [{ kind: "nat" }],
    }));
    await guest.out.until("ready\r\n");
    await guest.tell("dd if=/dev/urandom of=/dev/vda bs=1M count=4 conv=fsync; echo $$ >/tmp/mark");
    before = await guest.tell(mark);
    await assertRejects(() => guest.machine.save(saved), MachineError, "the machine is running: only one");
    await guest.save(saved);
  }
  assertEquals(Deno.statSync(saved).mode! & 0o777, 0o700);
  const names = [...Deno.readDirSync(saved)].map(({ name }) => name).sort();
  assertEquals(names.length, 2, names.join());
  for (const name of names) assertEquals(Deno.statSync(`${saved}/${name}`).mode! & 0o777, 0o600, name);

  for (let i = 0; i < 3; i++) {
    await using guest = await SavedGuest.restore(saved);
    assertEquals(await guest.tell(mark), before);
    await guest.tell("dd if=/dev/urandom of=/dev/vda bs=1M seek=4 count=4 conv=fsync");
    before = await guest.tell(mark);
    await guest.save(saved);
  }
  assert([...Deno.readDirSync(saved)].length === 2);
});
