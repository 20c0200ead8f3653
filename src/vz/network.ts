import { elements, type NSObject } from "../objc/mod.ts";
import { QueueObject } from "./queue_object.ts";
import type { ClassName } from "./selectors.ts";
import { VZClass, VZObject } from "./vz_object.ts";

/** What a network device is plugged into. */
export abstract class VZNetworkDeviceAttachment<C extends ClassName = ClassName> extends VZObject<C> {}

/** A network behind the host, which translates addresses. macOS 11. */
export class VZNATNetworkDeviceAttachment extends VZNetworkDeviceAttachment<"VZNATNetworkDeviceAttachment"> {
  static override readonly api = new VZClass("VZNATNetworkDeviceAttachment", "NAT");

  static create(): VZNATNetworkDeviceAttachment {
    return new this(this.api.create("init"));
  }
}

/** An interface of the host that a guest can be bridged to. macOS 11. */
export class VZBridgedNetworkInterface extends VZObject<"VZBridgedNetworkInterface"> {
  static override readonly api = new VZClass("VZBridgedNetworkInterface", "A bridged network");

  /** Those there are. */
  static all(): VZBridgedNetworkInterface[] {
    using array = this.api.send("networkInterfaces") as NSObject;
    return elements(array).map((element) => new this(element));
  }

  /** The name that the host has for it: en0. */
  get identifier(): string {
    return String(this.send("identifier"));
  }
}

/** The network that an interface of the host is in. macOS 11; the process needs com.apple.vm.networking. */
export class VZBridgedNetworkDeviceAttachment
  extends VZNetworkDeviceAttachment<"VZBridgedNetworkDeviceAttachment"> {
  static override readonly api = new VZClass("VZBridgedNetworkDeviceAttachment", "A bridged network");

  static create(to: VZBridgedNetworkInterface): VZBridgedNetworkDeviceAttachment {
    return new this(this.api.create("initWithInterface:", to));
  }
}

/** Frames as datagrams on a connected socket. macOS 11. */
export class VZFileHandleNetworkDeviceAttachment
  extends VZNetworkDeviceAttachment<"VZFileHandleNetworkDeviceAttachment"> {
  static override readonly api = new VZClass("VZFileHandleNetworkDeviceAttachment", "A socket for a card", {
    "setMaximumTransmissionUnit:": "mtu",
  });

  /** @param socket An NSFileHandle of it. One that is no datagram socket ends the process. */
  static create(socket: NSObject): VZFileHandleNetworkDeviceAttachment {
    return new this(this.api.create("initWithFileHandle:", socket));
  }

  /** The largest packet, in bytes: 1500 to 65535, and 1500 by default. macOS 13. */
  set maximumTransmissionUnit(bytes: number) {
    this.send("setMaximumTransmissionUnit:", bytes);
  }
}

/** A network of vmnet's that the process has made. macOS 26. */
export class VZVmnetNetworkDeviceAttachment
  extends VZNetworkDeviceAttachment<"VZVmnetNetworkDeviceAttachment"> {
  static override readonly api = new VZClass(
    "VZVmnetNetworkDeviceAttachment",
    "A network of the machine's own",
  );

  static create(network: NSObject): VZVmnetNetworkDeviceAttachment {
    return new this(this.api.create("initWithNetwork:", network));
  }
}

/** A MAC address. macOS 11. */
export class VZMACAddress extends VZObject<"VZMACAddress"> {
  static override readonly api = new VZClass("VZMACAddress", "A MAC address");

  /** @param text `52:54:00:12:34:56` */
  static create(text: string): VZMACAddress {
    return new this(this.api.create("initWithString:", text));
  }
}

/** A network card; its MAC address is a random one where none is set. macOS 11. */
export class VZVirtioNetworkDeviceConfiguration extends VZObject<"VZVirtioNetworkDeviceConfiguration"> {
  static override readonly api = new VZClass("VZVirtioNetworkDeviceConfiguration", "The network device");

  static create(attachment: VZNetworkDeviceAttachment): VZVirtioNetworkDeviceConfiguration {
    const device = new this(this.api.create("init"));
    device.send("setAttachment:", attachment);
    return device;
  }

  set macAddress(address: VZMACAddress) {
    this.send("setMACAddress:", address);
  }
}

/** A network card of a running machine. macOS 12. */
export class VZNetworkDevice extends QueueObject<"VZNetworkDevice"> {
  static override readonly api = new VZClass("VZNetworkDevice", "A running machine's network card");

  /** Plugs it into another network. */
  async attach(attachment: VZNetworkDeviceAttachment): Promise<void> {
    await this.call("setAttachment:", attachment);
  }
}
