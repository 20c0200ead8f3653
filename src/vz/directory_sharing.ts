import { fileURL } from "../objc/mod.ts";
import { type Api, make, vzClass, VZObject } from "./vz_object.ts";

/** A folder of the host's. macOS 12. */
export class VZSharedDirectory extends VZObject {
  static override readonly api: Api = { class: "VZSharedDirectory", what: "A shared folder", macOS: "12.0" };

  static create(path: string, readOnly: boolean): VZSharedDirectory {
    using url = fileURL(path);
    return new VZSharedDirectory(make(VZSharedDirectory.api, "initWithURL:readOnly:", url, readOnly));
  }
}

/** What a guest finds under a tag. */
export abstract class VZDirectoryShare extends VZObject {}

/** One folder. macOS 12. */
export class VZSingleDirectoryShare extends VZDirectoryShare {
  static override readonly api: Api = {
    class: "VZSingleDirectoryShare",
    what: "A shared folder",
    macOS: "12.0",
  };

  static create(directory: VZSharedDirectory): VZSingleDirectoryShare {
    return new VZSingleDirectoryShare(make(VZSingleDirectoryShare.api, "initWithDirectory:", directory));
  }
}

/** VZLinuxRosettaAvailability, by value. */
const AVAILABILITY = ["notSupported", "notInstalled", "installed"] as const;

/** Rosetta, which lets Linux on Apple silicon run x86_64 programs. macOS 13. */
export class VZLinuxRosettaDirectoryShare extends VZDirectoryShare {
  static override readonly api: Api = {
    class: "VZLinuxRosettaDirectoryShare",
    what: "Rosetta",
    macOS: "13.0",
  };

  /** Whether this computer has it. */
  static get availability(): typeof AVAILABILITY[number] {
    return AVAILABILITY[Number(vzClass(VZLinuxRosettaDirectoryShare.api).send("availability"))];
  }

  /** @throws {NSError} When it is not installed. */
  static create(): VZLinuxRosettaDirectoryShare {
    return new VZLinuxRosettaDirectoryShare(make(VZLinuxRosettaDirectoryShare.api, "initWithError:"));
  }
}

/** `mount -t virtiofs TAG /mnt`. macOS 12. */
export class VZVirtioFileSystemDeviceConfiguration extends VZObject {
  static override readonly api: Api = {
    class: "VZVirtioFileSystemDeviceConfiguration",
    what: "A shared folder",
    macOS: "12.0",
  };

  /** @throws {NSError} When the tag is empty or too long. */
  static create(tag: string, share: VZDirectoryShare): VZVirtioFileSystemDeviceConfiguration {
    const api = VZVirtioFileSystemDeviceConfiguration.api;
    vzClass(api).send("validateTag:error:", tag);
    const device = new VZVirtioFileSystemDeviceConfiguration(make(api, "initWithTag:", tag));
    device.send("setShare:", share);
    return device;
  }
}
