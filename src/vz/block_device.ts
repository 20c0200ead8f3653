import { defineClass, type DefinedClass, NSError, type NSObject, webURL } from "../objc/mod.ts";
import {
  VZStorageDeviceAttachment,
  type VZStorageDeviceConfiguration,
  type VZVirtioBlockDeviceConfiguration,
} from "./storage.ts";
import { VZClass } from "./vz_object.ts";

/** VZDiskSynchronizationMode: whether a guest's flush is passed on. */
export const VZDiskSynchronizationMode = { full: 0, none: 1 } as const;

/** How what is no image is used. */
export interface BlockDeviceOptions {
  readOnly: boolean;
  synchronizationMode: keyof typeof VZDiskSynchronizationMode;
}

/** A block device of the host's. macOS 14. */
export class VZDiskBlockDeviceStorageDeviceAttachment
  extends VZStorageDeviceAttachment<"VZDiskBlockDeviceStorageDeviceAttachment"> {
  static override readonly api = new VZClass(
    "VZDiskBlockDeviceStorageDeviceAttachment",
    "A device as a disk",
  );

  /**
   * @param device An NSFileHandle of it, opened to be written unless it is read-only.
   * @throws {NSError} When it is none.
   */
  static create(
    device: NSObject,
    { readOnly, synchronizationMode }: BlockDeviceOptions,
  ): VZDiskBlockDeviceStorageDeviceAttachment {
    const initializer = "initWithFileHandle:readOnly:synchronizationMode:error:";
    const synchronization = VZDiskSynchronizationMode[synchronizationMode];
    return new this(this.api.create(initializer, device, readOnly, synchronization));
  }
}

/** What hears of a server's connection. */
export interface ConnectionWatcher {
  /** It is there: at the start, and each time that it is there again. */
  connected(): void;
  /** The framework has tried for long enough. */
  failed(error: NSError): void;
}

let delegates: DefinedClass<ConnectionWatcher> | undefined;

/** What a server has, by the NBD protocol; it is connected to when the machine starts. macOS 14. */
export class VZNetworkBlockDeviceStorageDeviceAttachment
  extends VZStorageDeviceAttachment<"VZNetworkBlockDeviceStorageDeviceAttachment"> {
  static override readonly api = new VZClass(
    "VZNetworkBlockDeviceStorageDeviceAttachment",
    "A disk of a server's",
  );

  /**
   * @param url `nbd://host/name`, or `nbd+unix:///name?socket=/path`.
   * @param timeout After how many seconds without an answer it is connected to anew.
   * @throws {NSError} When the URL is none of these.
   */
  static create(
    url: string,
    timeout: number,
    { readOnly, synchronizationMode }: BlockDeviceOptions,
  ): VZNetworkBlockDeviceStorageDeviceAttachment {
    using object = webURL(url);
    this.api.send("validateURL:error:", object);
    const initializer = "initWithURL:timeout:forcedReadOnly:synchronizationMode:error:";
    const synchronization = VZDiskSynchronizationMode[synchronizationMode];
    return new this(this.api.create(initializer, object, timeout, readOnly, synchronization));
  }

  /** That of a device which was made with one. */
  static of(configuration: VZStorageDeviceConfiguration): VZNetworkBlockDeviceStorageDeviceAttachment {
    const device = configuration as VZVirtioBlockDeviceConfiguration; // it is the superclass's method
    return new this(device.send("attachment")!);
  }

  /** Tells a watcher of its connections, and keeps the program alive and its event loop awake, until it is disposed of. */
  watch(watcher: ConnectionWatcher): Disposable {
    delegates ??= defineClass<ConnectionWatcher>("VZRunNetworkBlockDeviceDelegate", {
      "attachmentWasConnected:": { types: "v@:@", implementation: (watcher) => watcher.connected() },
      "attachment:didEncounterError:": {
        types: "v@:@@",
        implementation: (watcher, _, error) => watcher.failed(NSError.from(error as NSObject)),
      },
    });
    const delegate = delegates.create(watcher); // which the framework has only weakly
    this.send("setDelegate:", delegate);
    delegates.ref();
    const end = () => {
      this.send("setDelegate:", null);
      delegate[Symbol.dispose]();
      delegates!.unref();
      void watcher; // which the delegate has only weakly
    };
    return { [Symbol.dispose]: end };
  }
}
