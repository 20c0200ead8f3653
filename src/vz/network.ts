import { type Api, make, VZObject } from "./vz_object.ts";

/** What a network device is plugged into. */
export abstract class NetworkAttachment extends VZObject {}

/** A network behind the host, which translates addresses. macOS 11. */
export class NATNetworkAttachment extends NetworkAttachment {
  static override readonly api: Api = { class: "VZNATNetworkDeviceAttachment", what: "NAT", macOS: "11.0" };

  static create(): NATNetworkAttachment {
    return new NATNetworkAttachment(make(NATNetworkAttachment.api));
  }
}

/** A network card; its MAC address is a random one. macOS 11. */
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
}
