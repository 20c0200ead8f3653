import { fromObjC, NSObject } from "../objc/mod.ts";
import { type Api, make, vzClass, VZObject } from "./vz_object.ts";

/** An identity that a guest finds the same at each start. macOS 13. */
export class VZGenericMachineIdentifier extends VZObject {
  static override readonly api: Api = {
    class: "VZGenericMachineIdentifier",
    what: "A machine's identity",
    macOS: "13.0",
  };

  /** A new one. */
  static create(): VZGenericMachineIdentifier {
    return new VZGenericMachineIdentifier(make(VZGenericMachineIdentifier.api));
  }

  /** One that was kept, or null when the bytes are none. */
  static from(bytes: Uint8Array): VZGenericMachineIdentifier | null {
    const object = vzClass(VZGenericMachineIdentifier.api).send("alloc") as NSObject;
    const identifier = object.send("initWithDataRepresentation:", bytes);
    return identifier instanceof NSObject ? new VZGenericMachineIdentifier(identifier) : null;
  }

  /** Bytes to keep. */
  get data(): Uint8Array {
    return fromObjC(this.send("dataRepresentation")) as Uint8Array;
  }
}

/** A machine that is no Mac. macOS 12; its identity 13. */
export class VZGenericPlatformConfiguration extends VZObject {
  static override readonly api: Api = {
    class: "VZGenericPlatformConfiguration",
    what: "A generic platform",
    macOS: "12.0",
    newer: { "setMachineIdentifier:": ["A machine's identity", "13.0"] },
  };

  static create(identifier: VZGenericMachineIdentifier): VZGenericPlatformConfiguration {
    const platform = new VZGenericPlatformConfiguration(make(VZGenericPlatformConfiguration.api));
    platform.send("setMachineIdentifier:", identifier);
    return platform;
  }
}
