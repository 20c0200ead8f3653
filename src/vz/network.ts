import type { NSObject } from "../objc/mod.ts";
import { type Api, make, vzClass, VZObject } from "./vz_object.ts";

/** What a network device is plugged into. */
export abstract class VZNetworkDeviceAttachment extends VZObject {}

/** A network behind the host, which translates addresses. macOS 11. */
export class VZNATNetworkDeviceAttachment extends VZNetworkDeviceAttachment {
  static override readonly api: Api = { class: "VZNATNetworkDeviceAttachment", what: "NAT", macOS: "11.0" };

  static create(): VZNATNetworkDeviceAttachment {
    return new VZNATNetworkDeviceAttachment(make(VZNATNetworkDeviceAttachment.api));
  }
}

/** An interface of the host that a guest can be bridged to. macOS 11. */
export class VZBridgedNetworkInterface extends VZObject {
  static override readonly api: Api = {
    class: "VZBridgedNetworkInterface",
    what: "A bridged network",
    macOS: "11.0",
  };

  /** Those there are. */
  static all(): VZBridgedNetworkInterface[] {
    using array = vzClass(VZBridgedNetworkInterface.api).send("networkInterfaces") as NSObject;
    const count = Number(array.send("count"));
    return Array.from(
      { length: count },
      (_, i) => new VZBridgedNetworkInterface(array.send("objectAtIndex:", i) as NSObject),
    );
  }

  /** The name that the host has for it: en0. */
  get identifier(): string {
    return String(this.send("identifier"));
  }
}

/** The network that an interface of the host is in. macOS 11; the process needs com.apple.vm.networking. */
export class VZBridgedNetworkDeviceAttachment extends VZNetworkDeviceAttachment {
  static override readonly api: Api = {
    class: "VZBridgedNetworkDeviceAttachment",
    what: "A bridged network",
    macOS: "11.0",
  };

  static create(to: VZBridgedNetworkInterface): VZBridgedNetworkDeviceAttachment {
    return new VZBridgedNetworkDeviceAttachment(
      make(VZBridgedNetworkDeviceAttachment.api, "initWithInterface:", to),
    );
  }
}

/** A MAC address. macOS 11. */
export class VZMACAddress extends VZObject {
  static override readonly api: Api = { class: "VZMACAddress", what: "A MAC address", macOS: "11.0" };

  /** @param text `52:54:00:12:34:56` */
  static create(text: string): VZMACAddress {
    return new VZMACAddress(make(VZMACAddress.api, "initWithString:", text));
  }
}

/** A network card; its MAC address is a random one where none is set. macOS 11. */
export class VZVirtioNetworkDeviceConfiguration extends VZObject {
  static override readonly api: Api = {
    class: "VZVirtioNetworkDeviceConfiguration",
    what: "The network device",
    macOS: "11.0",
  };

  static create(attachment: VZNetworkDeviceAttachment): VZVirtioNetworkDeviceConfiguration {
    const device = new VZVirtioNetworkDeviceConfiguration(make(VZVirtioNetworkDeviceConfiguration.api));
    device.send("setAttachment:", attachment);
    return device;
  }

  set macAddress(address: VZMACAddress) {
    this.send("setMACAddress:", address);
  }
}
