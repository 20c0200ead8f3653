import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { MachOError, readMachO, trueKeys } from "../../scripts/macho.ts";
import { UsageError } from "../../scripts/command_line.ts";
import { CODESIGN, parseOrder, RCODESIGN, report, sign, type Signer, SignError } from "../../scripts/sign.ts";
import { contents, Folder, ROOT } from "../e2e/vzrun.ts";
import { machO, type Made, universal } from "./macho.ts";

const ENTITLEMENTS = `${ROOT}/entitlements.plist`;
const PLIST = Deno.readTextFileSync(ENTITLEMENTS);
const NAMES = [
  "com.apple.security.virtualization",
  "com.apple.security.cs.allow-jit",
  "com.apple.security.cs.allow-unsigned-executable-memory",
  "com.apple.security.cs.disable-library-validation",
];

/** A folder with an executable, and with a program that records how it is called and signs as it is told to. */
class Bench extends Folder {
  readonly executable = this.file("vz run");
  readonly before: Uint8Array;

  /** @param signed What the signer leaves in the place of the file. */
  constructor(before: Uint8Array, signed: Uint8Array, readonly failsAt = "nothing") {
    super();
    this.before = before;
    Deno.writeFileSync(this.executable, before, { mode: 0o755 });
    Deno.writeFileSync(this.file("signed"), signed);
    Deno.writeTextFileSync(
      this.file("signer"),
      `#!/bin/sh
      for argument in "$@"; do echo "$argument"; done >>'${this.file("arguments")}'
      [ "$1" != '${failsAt}' ] || { echo "it will not" >&2; exit 3; }
      case $1 in sign | --force) for file; do :; done; cat '${this.file("signed")}' >"$file" ;; esac`,
      { mode: 0o755 },
    );
  }

  signer(like: Signer): Signer {
    return { ...like, program: this.file("signer") };
  }

  /** How the signer was called; the name of the copy is COPY. */
  get arguments(): string[] {
    const lines = contents(this.file("arguments")).trim().split("\n");
    return lines.map((line) => line.startsWith(`${Deno.realPathSync(this.path)}/.vz run.`) ? "COPY" : line);
  }

  /** Whether the executable is as it was, and nothing has come to stand beside it. */
  get isUntouched(): boolean {
    const names = [...Deno.readDirSync(this.path)].map(({ name }) => name).filter((name) =>
      name !== "arguments"
    );
    return names.toSorted().join() === "signed,signer,vz run" &&
      Deno.readFileSync(this.executable).join() === this.before.join();
  }
}

const ARM: Made = { architecture: "arm64", identifier: "a.out", flags: 0x20002 };
const SIGNED: Made = { architecture: "arm64", identifier: "vz run", entitlements: PLIST };

Deno.test("sign: ad hoc, a copy is signed and verified, and takes the file's place with its mode", async () => {
  using bench = new Bench(machO(ARM), machO(SIGNED));
  const signed = await sign({ file: bench.executable, entitlements: ENTITLEMENTS }, bench.signer(CODESIGN));
  assertEquals(bench.arguments, [
    ...["--force", "--sign", "-", "--identifier", "vz run", "--entitlements", ENTITLEMENTS, "COPY"],
    ...["--verify", "--strict", "COPY"],
  ]);
  assertEquals(Deno.readFileSync(bench.executable), machO(SIGNED));
  assertEquals(Deno.statSync(bench.executable).mode! & 0o777, 0o755);
  assertEquals(report(signed), [`arm64: ad hoc; entitlements ${NAMES.map((name) => `+${name}`).join(" ")}`]);
});

Deno.test("sign: an identity gets the hardened runtime and a timestamp", async () => {
  const made: Made = { ...SIGNED, flags: 0x10000, team: "TEAM123", certificate: 4000 };
  using bench = new Bench(machO(ARM), machO(made));
  const order = { file: bench.executable, identity: "Developer ID", entitlements: ENTITLEMENTS };
  const signed = await sign(order, bench.signer(CODESIGN));
  assertEquals(bench.arguments.slice(0, 10), [
    ...["--force", "--sign", "Developer ID", "--identifier", "vz run"],
    ...["--options", "runtime", "--timestamp", "--entitlements", ENTITLEMENTS],
  ]);
  assertMatch(report(signed)[0], /^arm64: team TEAM123, runtime; /);
});

Deno.test("sign: a universal executable is signed in one go, and each architecture is looked at", async () => {
  const intel: Made = { ...SIGNED, architecture: "x86_64" };
  const unsigned = universal(machO(ARM), machO({ architecture: "x86_64" }));
  using bench = new Bench(unsigned, universal(machO(SIGNED), machO(intel)));
  const { after } = await sign(
    { file: bench.executable, entitlements: ENTITLEMENTS },
    bench.signer(CODESIGN),
  );
  assertEquals(after.map(({ architecture }) => architecture), ["arm64", "x86_64"]);
  using half = new Bench(unsigned, universal(machO(SIGNED), machO({ architecture: "x86_64" })));
  await assertRejects(
    () => sign({ file: half.executable, entitlements: ENTITLEMENTS }, half.signer(CODESIGN)),
    SignError,
    "x86_64 was left without a signature",
  );
  assertEquals(half.isUntouched, true);
});

Deno.test("sign: rcodesign is told the same, with a .p12 file for the identity", async () => {
  using bench = new Bench(machO(ARM), machO({ ...SIGNED, flags: 0x10000, certificate: 4000 }));
  const order = { file: bench.executable, identity: "me.p12", entitlements: ENTITLEMENTS };
  await sign(order, bench.signer(RCODESIGN));
  assertEquals(bench.arguments, [
    ...["sign", "--binary-identifier", "vz run", "--p12-file", "me.p12"],
    ...["--code-signature-flags", "runtime", "--entitlements-xml-path", ENTITLEMENTS, "COPY"],
  ]);
});

const FAILURES: [what: string, failsAt: string, signed: Made, identity: string | undefined, error: string][] =
  [
    ["signing", "--force", SIGNED, undefined, "signer --force failed: it will not"],
    ["verifying", "--verify", SIGNED, undefined, "signer --verify failed: it will not"],
    [
      "entitlements",
      "",
      { ...SIGNED, entitlements: "<key>a</key><true/>" },
      undefined,
      "other entitlements: a",
    ],
    ["no entitlements", "", ARM, undefined, "arm64 was signed with other entitlements"],
    ["no certificate", "", SIGNED, "Me", "arm64 was signed without 'Me' or without the hardened runtime"],
  ];
for (const [what, failsAt, signed, identity, error] of FAILURES) {
  Deno.test(`sign: a failure leaves the executable as it was: ${what}`, async () => {
    using bench = new Bench(machO(ARM), machO(signed), failsAt);
    const order = { file: bench.executable, identity, entitlements: ENTITLEMENTS };
    await assertRejects(() => sign(order, bench.signer(CODESIGN)), SignError, error);
    assertEquals(bench.isUntouched, true);
  });
}

Deno.test("sign: what is no program for macOS is refused before anything is done", async () => {
  for (
    const bytes of [
      new TextEncoder().encode("#!/bin/sh\n"),
      new TextEncoder().encode("\x7fELF".padEnd(100)),
    ]
  ) {
    using bench = new Bench(bytes, bytes);
    await assertRejects(
      () => sign({ file: bench.executable, entitlements: ENTITLEMENTS }, bench.signer(CODESIGN)),
      SignError,
      "it is no Mach-O executable; only programs for macOS have to be signed",
    );
    assertEquals([bench.isUntouched, contents(bench.file("arguments"))], [true, ""]);
  }
});

Deno.test("sign: a missing program or file is named", async () => {
  using bench = new Bench(machO(ARM), machO(SIGNED));
  const order = { file: bench.executable, entitlements: ENTITLEMENTS };
  await assertRejects(
    () => sign(order, { ...CODESIGN, program: "/no/codesign" }),
    SignError,
    "/no/codesign is missing",
  );
  await assertRejects(
    () => sign({ ...order, file: "/no" }, CODESIGN),
    SignError,
    "cannot open '/no': no such file",
  );
  await assertRejects(
    () => sign({ ...order, entitlements: "/no" }, CODESIGN),
    SignError,
    "cannot open '/no': no such file",
  );
  assertEquals(bench.isUntouched, true);
});

Deno.test("sign: the command line", () => {
  assertEquals(parseOrder([]), { file: `${ROOT}/dist/vzrun`, entitlements: ENTITLEMENTS });
  assertEquals(parseOrder(["--identity=A=B", "deno", "--entitlements", "p"]), {
    file: "deno",
    identity: "A=B",
    entitlements: "p",
  });
  assertEquals(parseOrder(["--identity", "-"]).identity, undefined);
  for (const bad of [["a", "b"], ["--force"], ["--identity"]]) {
    assertThrows(() => parseOrder(bad), UsageError);
  }
});

Deno.test("sign: bridged networks are asked for in a list of their own only", () => {
  assertEquals(trueKeys(PLIST).toSorted(), NAMES.toSorted());
  const bridged = trueKeys(Deno.readTextFileSync(`${ROOT}/entitlements-bridged.plist`));
  assertEquals(bridged.toSorted(), [...NAMES, "com.apple.vm.networking"].toSorted());
});

Deno.test("Mach-O: damaged files are refused, whatever is missing", () => {
  const whole = universal(machO({ ...SIGNED, team: "TEAM", certificate: 4 }));
  assertEquals(readMachO(whole)[0].signature?.team, "TEAM");
  for (let length = 0; length < whole.length - 12; length++) {
    assertThrows(() => readMachO(whole.subarray(0, length)), MachOError);
  }
  const java = Uint8Array.of(0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 61);
  assertThrows(() => readMachO(java), MachOError, "no Mach-O");
});

Deno.test({
  name: "Mach-O: how this Deno is signed is read",
  ignore: Deno.build.os !== "darwin",
  fn() {
    const architecture = Deno.build.arch === "aarch64" ? "arm64" : "x86_64";
    const slice = readMachO(Deno.readFileSync(Deno.execPath())).find((one) =>
      one.architecture === architecture
    );
    assertMatch(slice?.signature?.identifier ?? "", /./);
  },
});
