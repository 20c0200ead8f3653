import { fileURL, type NSObject } from "../objc/mod.ts";
import { type Api, make, VZObject } from "./vz_object.ts";

/** Where a serial port's bytes come from and go to. */
export abstract class VZSerialPortAttachment extends VZObject {}

/** File descriptors: the framework copies the bytes, JavaScript does not see them. macOS 11. */
export class VZFileHandleSerialPortAttachment extends VZSerialPortAttachment {
  static override readonly api: Api = {
    class: "VZFileHandleSerialPortAttachment",
    what: "A serial port on file handles",
    macOS: "11.0",
  };

  /**
   * @param reading NSFileHandle of what the guest receives, or null.
   * @param writing NSFileHandle of where goes what the guest sends, or null.
   */
  static create(reading: NSObject | null, writing: NSObject | null): VZFileHandleSerialPortAttachment {
    const initializer = "initWithFileHandleForReading:fileHandleForWriting:";
    return new VZFileHandleSerialPortAttachment(
      make(VZFileHandleSerialPortAttachment.api, initializer, reading, writing),
    );
  }
}

/** A file that gets what the guest sends. macOS 11. */
export class VZFileSerialPortAttachment extends VZSerialPortAttachment {
  static override readonly api: Api = {
    class: "VZFileSerialPortAttachment",
    what: "A serial port in a file",
    macOS: "11.0",
  };

  /**
   * @param append Whether to keep what the file holds.
   * @throws {NSError} When the file cannot be written.
   */
  static create(path: string, append: boolean): VZFileSerialPortAttachment {
    using url = fileURL(path);
    return new VZFileSerialPortAttachment(
      make(VZFileSerialPortAttachment.api, "initWithURL:append:error:", url, append),
    );
  }
}

/** A console of the guest: the first is hvc0, the next hvc1, and so on. macOS 11. */
export class VZVirtioConsoleDeviceSerialPortConfiguration extends VZObject {
  static override readonly api: Api = {
    class: "VZVirtioConsoleDeviceSerialPortConfiguration",
    what: "The virtio console",
    macOS: "11.0",
  };

  static create(attachment: VZSerialPortAttachment): VZVirtioConsoleDeviceSerialPortConfiguration {
    const port = new VZVirtioConsoleDeviceSerialPortConfiguration(
      make(VZVirtioConsoleDeviceSerialPortConfiguration.api),
    );
    port.send("setAttachment:", attachment);
    return port;
  }
}
