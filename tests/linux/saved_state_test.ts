// How linux/ saves and restores machines: states, errors and files as Apple's framework has them, with real guests.

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { NSError } from "../../src/objc/mod.ts";
import {
  type State,
  VZGenericMachineIdentifier,
  VZGenericPlatformConfiguration,
  type VZVirtualMachine,
} from "../../src/vz/mod.ts";
import { Folder } from "../e2e/vzrun.ts";
import { Guest, within } from "./guest.ts";

const identifier = VZGenericMachineIdentifier.create();

/** A guest that counts on its console, of one identity. */
function counter(): Guest {
  const guest = new Guest("i=0; while :; do echo count $i; i=$((i+1)); sleep 0.1; done");
  guest.configuration.platform = VZGenericPlatformConfiguration.create(identifier);
  return guest;
}

/** The last number that a guest has counted to. */
function countOf({ output }: Guest): number {
  return Number(/count (\d+)\r\n[^\n]*$/.exec(output)?.[1]);
}

async function states(machine: VZVirtualMachine): Promise<State[]> {
  const seen: State[] = [];
  await machine.watchState((state) => seen.push(state));
  return seen;
}

async function assertVZError(action: Promise<unknown>, code: number, reason: string): Promise<void> {
  const error = await assertRejects(() => action);
  assertInstanceOf(error, NSError);
  assertEquals([error.domain, error.code], ["VZErrorDomain", code], error.message);
  assert(error.message.includes(reason), error.message);
}

Deno.test("saved state: a guest goes on counting where it was saved, and so does the one that was saved", async () => {
  using folder = new Folder();
  const file = folder.file("state");
  await using first = counter();
  const saved = first.machine();
  const seen = await states(saved);
  await saved.start();
  await first.said("count 5\r\n");
  await assertVZError(saved.save(file), 4, "from state “running” to state “saving”");
  await assertVZError(saved.restore(file), 4, "from state “running” to state “restoring”");
  await saved.pause();
  await within("the saving", saved.save(file));
  const at = countOf(first);
  assertEquals(seen, ["starting", "running", "pausing", "paused", "saving", "paused"]);
  assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
  await saved.resume();
  await first.said(`count ${at + 3}\r\n`);
  await saved.stop();

  await using second = counter();
  const restored = second.machine();
  const then = await states(restored);
  await within("the restoring", restored.restore(file));
  assertEquals(await restored.state(), "paused");
  assertEquals(await restored.operations(), { requestStop: false, stop: true, pause: false, resume: true });
  assertEquals(second.output, "");
  await restored.resume();
  await second.said(`count ${at + 3}\r\n`);
  assert(!second.output.includes(`count ${at - 1}\r\n`), second.output);
  assertEquals(then, ["restoring", "paused", "resuming", "running"]);
  await restored.stop();
  assertEquals(await restored.stopped, { kind: "stop" });
});
