// The base of machines and their devices, on objects of Foundation's: what Virtualization's have that hand over an
// object when they are done, such as a socket's connection, is on no Linux.

import { assertEquals, assertRejects } from "@std/assert";
import { Class, DispatchQueue, type NSObject } from "../../src/objc/mod.ts";
import { API } from "../../src/vz/api.ts";
import { QueueObject } from "../../src/vz/queue_object.ts";
import { VZClass } from "../../src/vz/vz_object.ts";

// NSArray's method calls its block as a completion handler is called: with the first object, and then 0, its index.
const EACH = "enumerateObjectsUsingBlock:";
const table = API as unknown as Record<string, Record<string, string>>;

class OnAQueue extends QueueObject<"VZVirtualMachine"> {
  static override readonly api = ((): VZClass<"VZVirtualMachine"> => {
    table.Fake = { macOS: "11.0", [`-${EACH}`]: "11.0 v @?<v;@,@>" };
    try {
      return new VZClass("Fake" as "VZVirtualMachine", "Nothing", {} as never);
    } finally {
      delete table.Fake;
    }
  })();

  constructor(object: NSObject) {
    super(DispatchQueue.create("test"), object);
  }

  each(): Promise<NSObject> {
    return this.complete(EACH as "startWithCompletionHandler:") as Promise<unknown> as Promise<NSObject>;
  }
}

Deno.test("queue object: a completion handler's object is what the call gives", async () => {
  const array = Class.named("NSArray").send("arrayWithObject:", "the first") as NSObject;
  assertEquals(String(await new OnAQueue(array).each()), "the first");
});

Deno.test("queue object: a message that cannot be sent is an error, and leaves no handler that keeps the program", async () => {
  const object = new OnAQueue(Class.named("NSObject").create());
  await assertRejects(() => object.each(), TypeError, "no such method");
  // Deno's sanitizer does not see callbacks that are held: a program of its own does, by not ending.
  const url = (path: string) => new URL(`../../src/${path}`, import.meta.url).href;
  const program = `
    import { Class, DispatchQueue } from "${url("objc/mod.ts")}";
    import { VZVirtualMachine } from "${url("vz/mod.ts")}";
    class Broken extends VZVirtualMachine {}
    const broken = Reflect.construct(
      Object.getPrototypeOf(VZVirtualMachine), [DispatchQueue.create("test"), Class.named("NSObject").create()], Broken);
    await broken.complete("pauseWithCompletionHandler:").catch((error) => console.log(error.name));
  `;
  const root = new URL("../../", import.meta.url);
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--config", new URL("deno.json", root).pathname, program],
    cwd: root,
    signal: AbortSignal.timeout(30_000),
  }).output();
  assertEquals([new TextDecoder().decode(stdout), success], ["TypeError\n", true]);
});
