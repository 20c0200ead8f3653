import { assertEquals, assertThrows } from "@std/assert";
import { API } from "../../src/vz/api.ts";
import { requireMacOS, UnavailableError } from "../../src/vz/mod.ts";
import type { Newer } from "../../src/vz/selectors.ts";
import { VZClass } from "../../src/vz/vz_object.ts";

Deno.test("availability: a macOS that is too old is told with what needs a newer one", () => {
  const tooOld: [what: string, first: string, current: string, message: string][] = [
    ["NVMe", "14.0", "13.6", "NVMe needs macOS 14 (this is 13.6)"],
    ["NVMe", "14.0", "13.6.9", "NVMe needs macOS 14 (this is 13.6.9)"],
    ["NAT", "11.0", "10.15", "NAT needs macOS 11 (this is 10.15)"],
    ["A disk's serial", "12.3", "12.2.1", "A disk's serial needs macOS 12.3 (this is 12.2.1)"],
    ["X", "12.10", "12.3", "X needs macOS 12.10 (this is 12.3)"],
    ["X", "12.3", "12", "X needs macOS 12.3 (this is 12)"],
    ["X", "26.0", "15.7", "X needs macOS 26 (this is 15.7)"],
    ["X", "13.0.1", "13.0", "X needs macOS 13.0.1 (this is 13.0)"],
    ["X", "20.0", "9.0", "X needs macOS 20 (this is 9.0)"],
  ];
  for (const [what, first, current, message] of tooOld) {
    const error = assertThrows(() => requireMacOS(what, first, current), UnavailableError);
    assertEquals([error.name, error.message], ["UnavailableError", message]);
  }
});

Deno.test("availability: one that is new enough is let pass", () => {
  const enough: [first: string, current: string][] = [
    ["11.0", "11.0"],
    ["11.0", "11"],
    ["14.0", "14"],
    ["14.0", "14.0.0"],
    ["12.3", "12.3"],
    ["12.3", "12.10"],
    ["12.3", "13.0"],
    ["12.3", "13.0.1"],
    ["13.0", "26.1"],
    ["9.9", "10.0"],
  ];
  for (const [first, current] of enough) requireMacOS("It", first, current);
});

Deno.test("availability: a class or method from the future is refused by its name for people", () => {
  const table = API as unknown as Record<string, Record<string, string>>;
  table.VZFuture = { macOS: "99.0" };
  table.VZPresent = { macOS: "11.0", "-goBack:": "98.1 v @", "-stay:": "11.0 v @" };
  try {
    // The types know neither: they are of Apple's table.
    const made = (name: string, what: string, newer = {}) =>
      new VZClass(name as "VZVirtualMachine", what, newer as Newer<"VZVirtualMachine">);
    const future = made("VZFuture", "Time travel");
    assertThrows(() => future.create("init"), UnavailableError, "Time travel needs macOS 99 (this is ");
    const present = made("VZPresent", "The present", { "goBack:": "Going back" });
    assertThrows(
      () => present.requireMethod("goBack:"),
      UnavailableError,
      "Going back needs macOS 98.1 (this is ",
    );
    present.requireMethod("stay:");
    present.require();
  } finally {
    delete table.VZFuture;
    delete table.VZPresent;
  }
});
