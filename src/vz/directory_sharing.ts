import { fileURL } from "../objc/mod.ts";
import { type Api, make, vzClass, VZObject } from "./vz_object.ts";

/** A folder of the host's. macOS 12. */
export class SharedDirectory extends VZObject {
  static override readonly api: Api = { class: "VZSharedDirectory", what: "A shared folder", macOS: "12.0" };

  static create(path: string, readOnly: boolean): SharedDirectory {
    using url = fileURL(path);
    return new SharedDirectory(make(SharedDirectory.api, "initWithURL:readOnly:", url, readOnly));
  }
}

/** What a guest finds under a tag. */
export abstract class DirectoryShare extends VZObject {}

/** One folder. macOS 12. */
export class SingleDirectoryShare extends DirectoryShare {
  static override readonly api: Api = {
    class: "VZSingleDirectoryShare",
    what: "A shared folder",
    macOS: "12.0",
  };

  static create(directory: SharedDirectory): SingleDirectoryShare {
    return new SingleDirectoryShare(make(SingleDirectoryShare.api, "initWithDirectory:", directory));
  }
}

/** VZLinuxRosettaAvailability, by value. */
const AVAILABILITY = ["notSupported", "notInstalled", "installed"] as const;

/** Rosetta, which lets Linux on Apple silicon run x86_64 programs. macOS 13. */
export class LinuxRosettaDirectoryShare extends DirectoryShare {
  static override readonly api: Api = {
    class: "VZLinuxRosettaDirectoryShare",
    what: "Rosetta",
    macOS: "13.0",
  };

  /** Whether this computer has it. */
  static get availability(): typeof AVAILABILITY[number] {
    return AVAILABILITY[Number(vzClass(LinuxRosettaDirectoryShare.api).send("availability"))];
  }

  /** @throws {NSError} When it is not installed. */
  static create(): LinuxRosettaDirectoryShare {
    return new LinuxRosettaDirectoryShare(make(LinuxRosettaDirectoryShare.api, "initWithError:"));
  }
}

/** `mount -t virtiofs TAG /mnt`. macOS 12. */
export class VirtioFileSystemDevice extends VZObject {
  static override readonly api: Api = {
    class: "VZVirtioFileSystemDeviceConfiguration",
    what: "A shared folder",
    macOS: "12.0",
  };

  /** @throws {NSError} When the tag is empty or too long. */
  static create(tag: string, share: DirectoryShare): VirtioFileSystemDevice {
    const api = VirtioFileSystemDevice.api;
    vzClass(api).send("validateTag:error:", tag);
    const device = new VirtioFileSystemDevice(make(api, "initWithTag:", tag));
    device.send("setShare:", share);
    return device;
  }
}
