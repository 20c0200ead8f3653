import { fileURL, type NSObject } from "../objc/mod.ts";
import type { ClassName } from "./selectors.ts";
import { VZClass, VZObject } from "./vz_object.ts";

/** Where a serial port's bytes come from and go to. */
export abstract class VZSerialPortAttachment<C extends ClassName = ClassName> extends VZObject<C> {}

/** File descriptors: the framework copies the bytes, JavaScript does not see them. macOS 11. */
export class VZFileHandleSerialPortAttachment
  extends VZSerialPortAttachment<"VZFileHandleSerialPortAttachment"> {
  static override readonly api = new VZClass(
    "VZFileHandleSerialPortAttachment",
    "A serial port on file handles",
  );

  /**
   * @param reading NSFileHandle of what the guest receives, or null.
   * @param writing NSFileHandle of where goes what the guest sends, or null.
   */
  static create(reading: NSObject | null, writing: NSObject | null): VZFileHandleSerialPortAttachment {
    const initializer = "initWithFileHandleForReading:fileHandleForWriting:";
    return new this(this.api.create(initializer, reading, writing));
  }
}

/** A file that gets what the guest sends. macOS 11. */
export class VZFileSerialPortAttachment extends VZSerialPortAttachment<"VZFileSerialPortAttachment"> {
  static override readonly api = new VZClass("VZFileSerialPortAttachment", "A serial port in a file");

  /**
   * @param append Whether to keep what the file holds.
   * @throws {NSError} When the file cannot be written.
   */
  static create(path: string, append: boolean): VZFileSerialPortAttachment {
    using url = fileURL(path);
    return new this(this.api.create("initWithURL:append:error:", url, append));
  }
}

/** A console of the guest: the first is hvc0, the next hvc1, and so on. macOS 11. */
export class VZVirtioConsoleDeviceSerialPortConfiguration
  extends VZObject<"VZVirtioConsoleDeviceSerialPortConfiguration"> {
  static override readonly api = new VZClass(
    "VZVirtioConsoleDeviceSerialPortConfiguration",
    "The virtio console",
  );

  static create(attachment: VZSerialPortAttachment): VZVirtioConsoleDeviceSerialPortConfiguration {
    const port = new this(this.api.create("init"));
    port.send("setAttachment:", attachment);
    return port;
  }
}
