// The C functions and variables that are looked up by name, against the libraries of Apple's that export them: what is
// missing fails on a user's Mac at the first call, and takes with it all that are opened together.

import { assert, assertEquals } from "@std/assert";
import { callsOf, withoutComments } from "./messages.ts";

/** What each library of macOS exports, of what is asked for. */
const EXPORTED: Record<string, string> = {
  // libobjc.A.dylib
  objc: `
    class_addMethod class_getInstanceMethod class_getMethodImplementation class_getName class_isMetaClass
    method_getTypeEncoding objc_allocateClassPair objc_autoreleasePoolPop objc_autoreleasePoolPush objc_getClass
    objc_msgSend objc_msgSend_stret objc_registerClassPair objc_release objc_retain object_getClass sel_getName
    sel_registerName`,
  // libSystem.B.dylib: what its libdispatch, libsystem_blocks, libsystem_c, libsystem_kernel and libdyld export
  system: `
    _Block_copy _Block_release _NSConcreteStackBlock _NSGetArgv _NSGetEnviron __error _dispatch_main_q _exit bind cfmakeraw clonefile
    close connect dispatch_async_f dispatch_queue_create dup dup2 execv fcntl flock geteuid getpeername getpgrp
    getprogname getsockopt grantpt ioctl kill open openpty pipe poll posix_spawn posix_spawn_file_actions_addopen
    posix_spawn_file_actions_destroy posix_spawn_file_actions_init ptsname read recv removexattr send setsid
    setsockopt shutdown signal socket socketpair strerror sysctl sysctlbyname tcgetattr tcgetpgrp tcsetattr
    ttyname umask unlockpt waitpid write`,
  CoreFoundation: "CFBooleanGetValue CFRelease CFStringCreateWithCString",
  CoreGraphics: "CGSessionCopyCurrentDictionary",
  Foundation: "NSUnderlyingErrorKey",
  Security: "SecTaskCopyValueForEntitlement SecTaskCreateFromSelf",
  // macOS 26
  vmnet: `
    vmnet_network_configuration_add_dhcp_reservation vmnet_network_configuration_add_port_forwarding_rule
    vmnet_network_configuration_create vmnet_network_configuration_set_ipv4_subnet vmnet_network_create`,
};

/** What linux/ exports beside that, for what a Mac does without; asked for only where guests are no neighbours. */
const STAND_IN: Record<string, string> = { Virtualization: "guest_port_on_loopback" };

/** Libraries that bring others: dlsym(3) with the handle of one looks into what it depends on. */
const BRINGS: Record<string, string[]> = { Security: ["CoreFoundation"] };

/** Of functions with `...`, how many arguments come before: on Apple silicon those of `...` go elsewhere. */
const FIXED: Record<string, number> = { open: 2, fcntl: 2, ioctl: 2 };

/** Lookups of what is named elsewhere: src/objc's own, and objc_msgSend under each signature. */
const ELSEWHERE = ["objc/method.ts: openFunctions(objc, { send: definition })"];

function sources(folder: URL, prefix = ""): [file: string, text: string][] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) {
      return name === "examples" ? [] : sources(new URL(`${name}/`, folder), `${prefix}${name}/`);
    }
    if (!name.endsWith(".ts")) return [];
    return [[`${prefix}${name}`, withoutComments(Deno.readTextFileSync(new URL(name, folder)))]];
  });
}

const SOURCES = [
  ...sources(new URL("../../src/", import.meta.url)),
  ...sources(new URL("../../scripts/", import.meta.url), "scripts/"),
];

interface Lookup {
  file: string;
  library: string;
  name: string;
  parameters?: string[];
}

const elsewhere: string[] = [];

/** What a call looks up. */
function lookupsOf(file: string, { name, args }: { name: string; args: string[] }): Lookup[] {
  const library = args[0]?.replaceAll('"', "");
  const said = `${file}: ${name}(${library}, ${args[1]?.replace(/\s+/g, " ")})`;
  if (ELSEWHERE.includes(said)) {
    elsewhere.push(said);
    return [];
  }
  assert(/^"\w+"$/.test(args[0] ?? ""), `${said}: which library?`);
  if (name === "symbolAddress") {
    assert(/^"\w+"$/.test(args[1] ?? ""), `${said}: which symbol?`);
    return [{ file, library, name: args[1].replaceAll('"', "") }];
  }
  const definitions = [...args[1].matchAll(/(\w+): \{\s*parameters: \[([^\]]*)\],\s*result: "\w+"[^}]*\}/g)];
  assertEquals(definitions.length, args[1].split(/\bparameters\b/).length - 1, said);
  assert(definitions.length > 0 && !/\bname:|\.\.\./.test(args[1]), said);
  return definitions.map(([, name, parameters]) => ({
    file,
    library,
    name,
    parameters: parameters.split(",").map((one) => one.trim()).filter((one) => one),
  }));
}

const LOOKUPS: Lookup[] = SOURCES.flatMap(([file, text]) =>
  callsOf(["openFunctions", "symbolAddress"], ["openFunctions", "symbolAddress"], text)
    .flatMap((call) => lookupsOf(file, call))
);
// What objc_msgSend is called is told by entryPoint of src/objc/method.ts.
const SENDERS = [...new Map(SOURCES).get("objc/method.ts")!.matchAll(/"(objc_msgSend\w*)"/g)].map((
  [, name],
) => name);
LOOKUPS.push(...SENDERS.map((name) => ({ file: "objc/method.ts", library: "objc", name })));

// Each start asks for the program's name, and opens no more for it than that: macOS's libSystem by its place.
const NAMING = new Map(SOURCES).get("host/program_name.ts")!.matchAll(
  /Deno\.dlopen\("\/usr\/lib\/libSystem\.B\.dylib", \{\s*(\w+): \{ parameters: \[\]/g,
);
LOOKUPS.push(...[...NAMING].map(([, name]) => ({ file: "host/program_name.ts", library: "system", name })));

const names = (list: string) => list.trim().split(/\s+/);

Deno.test("functions: each is exported by the library that is asked for it, or by one that comes with that", () => {
  const missing = LOOKUPS.filter(({ library, name }) =>
    ![library, ...BRINGS[library] ?? []].some((exporter) =>
      names(`${EXPORTED[exporter] ?? ""} ${STAND_IN[exporter] ?? ""}`).includes(name)
    )
  );
  assertEquals(missing.map(({ file, library, name }) => `${file}: ${name} of ${library}`), []);
});

Deno.test("functions: no list has one that nobody asks for", () => {
  const asked = new Set(LOOKUPS.map(({ name }) => name));
  assertEquals(
    [EXPORTED, STAND_IN].flatMap(Object.values<string>).flatMap(names).filter((name) => !asked.has(name)),
    [],
  );
  assertEquals(elsewhere, ELSEWHERE);
  assertEquals(Object.keys(FIXED).filter((name) => !asked.has(name)), []);
});

Deno.test("functions: none is given a variadic argument", () => {
  const variadic = LOOKUPS.filter(({ name, parameters }) =>
    parameters && parameters.length > (FIXED[name] ?? Infinity)
  );
  assertEquals(variadic.map(({ file, name }) => `${file}: ${name}`), []);
});

Deno.test("functions: libraries are opened where the paths of each system are known, and nowhere else", () => {
  const opening = SOURCES.filter(([, text]) => /\bDeno\.(dlopen|UnsafeFnPointer)\b/.test(text)).map((
    [file],
  ) => file);
  const places = ["host/libraries.ts", "host/open_ahead.ts", "host/program_name.ts", "objc/libraries.ts"];
  assertEquals(opening.toSorted(), places);
});
