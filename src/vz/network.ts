import type { NSObject } from "../objc/mod.ts";
import { type Api, make, vzClass, VZObject } from "./vz_object.ts";

/** What a network device is plugged into. */
export abstract class NetworkAttachment extends VZObject {}

/** A network behind the host, which translates addresses. macOS 11. */
export class NATNetworkAttachment extends NetworkAttachment {
  static override readonly api: Api = { class: "VZNATNetworkDeviceAttachment", what: "NAT", macOS: "11.0" };

  static create(): NATNetworkAttachment {
    return new NATNetworkAttachment(make(NATNetworkAttachment.api));
  }
}

/** An interface of the host that a guest can be bridged to. macOS 11. */
export class BridgedNetworkInterface extends VZObject {
  static override readonly api: Api = {
    class: "VZBridgedNetworkInterface",
    what: "A bridged network",
    macOS: "11.0",
  };

  /** Those there are. */
  static all(): BridgedNetworkInterface[] {
    using array = vzClass(BridgedNetworkInterface.api).send("networkInterfaces") as NSObject;
    const count = Number(array.send("count"));
    return Array.from(
      { length: count },
      (_, i) => new BridgedNetworkInterface(array.send("objectAtIndex:", i) as NSObject),
    );
  }

  /** The name that the host has for it: en0. */
  get identifier(): string {
    return String(this.send("identifier"));
  }
}

/** The network that an interface of the host is in. macOS 11; the process needs com.apple.vm.networking. */
export class BridgedNetworkAttachment extends NetworkAttachment {
  static override readonly api: Api = {
    class: "VZBridgedNetworkDeviceAttachment",
    what: "A bridged network",
    macOS: "11.0",
  };

  static create(to: BridgedNetworkInterface): BridgedNetworkAttachment {
    return new BridgedNetworkAttachment(make(BridgedNetworkAttachment.api, "initWithInterface:", to));
  }
}

/** A MAC address. macOS 11. */
export class MACAddress extends VZObject {
  static override readonly api: Api = { class: "VZMACAddress", what: "A MAC address", macOS: "11.0" };

  /** @param text `52:54:00:12:34:56` */
  static create(text: string): MACAddress {
    return new MACAddress(make(MACAddress.api, "initWithString:", text));
  }
}

/** A network card; its MAC address is a random one where none is set. macOS 11. */
export class VirtioNetworkDevice extends VZObject {
  static override readonly api: Api = {
    class: "VZVirtioNetworkDeviceConfiguration",
    what: "The network device",
    macOS: "11.0",
  };

  static create(attachment: NetworkAttachment): VirtioNetworkDevice {
    const device = new VirtioNetworkDevice(make(VirtioNetworkDevice.api));
    device.send("setAttachment:", attachment);
    return device;
  }

  set macAddress(address: MACAddress) {
    this.send("setMACAddress:", address);
  }
}
