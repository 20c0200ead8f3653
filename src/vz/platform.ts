import { fromObjC } from "../objc/mod.ts";
import { VZClass, VZObject } from "./vz_object.ts";

/** An identity that a guest finds the same at each start. macOS 13. */
export class VZGenericMachineIdentifier extends VZObject<"VZGenericMachineIdentifier"> {
  static override readonly api = new VZClass("VZGenericMachineIdentifier", "A machine's identity");

  /** A new one. */
  static create(): VZGenericMachineIdentifier {
    return new this(this.api.create("init"));
  }

  /** One that was kept, or null when the bytes are none. */
  static from(bytes: Uint8Array): VZGenericMachineIdentifier | null {
    const object = this.api.tryCreate("initWithDataRepresentation:", bytes);
    return object && new this(object);
  }

  /** Bytes to keep. */
  get data(): Uint8Array {
    return fromObjC(this.send("dataRepresentation")) as Uint8Array;
  }
}

/** A machine that is no Mac. macOS 12; its identity 13. */
export class VZGenericPlatformConfiguration extends VZObject<"VZGenericPlatformConfiguration"> {
  static override readonly api = new VZClass("VZGenericPlatformConfiguration", "A generic platform", {
    "setMachineIdentifier:": "A machine's identity",
    "isNestedVirtualizationSupported": "A guest with guests of its own",
    "setNestedVirtualizationEnabled:": "A guest with guests of its own",
  });

  /** @param nested Whether the guest can have guests of its own. macOS 15. */
  static create(identifier: VZGenericMachineIdentifier, nested = false): VZGenericPlatformConfiguration {
    const platform = new this(this.api.create("init"));
    platform.send("setMachineIdentifier:", identifier);
    if (nested) platform.send("setNestedVirtualizationEnabled:", true);
    return platform;
  }

  /** Whether this computer's guests can have guests. macOS 15. */
  static get nestedVirtualizationIsSupported(): boolean {
    return Boolean(this.api.send("isNestedVirtualizationSupported"));
  }
}
