import type { StreamSocket, ToError } from "../host/stream_socket.ts";
import { defineClass, type DefinedClass, type DispatchQueue, type NSObject } from "../objc/mod.ts";
import { QueueObject } from "./queue_object.ts";
import { VZClass, VZObject } from "./vz_object.ts";

/** Sockets between the host and the guest: vsock. A machine has one such device at the most. macOS 11. */
export class VZVirtioSocketDeviceConfiguration extends VZObject<"VZVirtioSocketDeviceConfiguration"> {
  static override readonly api = new VZClass("VZVirtioSocketDeviceConfiguration", "The socket device");

  static create(): VZVirtioSocketDeviceConfiguration {
    return new this(this.api.create("init"));
  }
}

/** A connection between a port of the host's and one of the guest's. macOS 11. */
export class VZVirtioSocketConnection extends QueueObject<"VZVirtioSocketConnection"> {
  static override readonly api = new VZClass("VZVirtioSocketConnection", "A connection with the guest");

  /** The port of the side that has connected. */
  async sourcePort(): Promise<number> {
    return await this.call("sourcePort");
  }

  /** The port that it has connected to. */
  async destinationPort(): Promise<number> {
    return await this.call("destinationPort");
  }

  /**
   * Takes the connection over. The framework's descriptor is closed with its object, so this has a copy: the connection
   * lives as long as any.
   *
   * @param toError Makes the error that its streams fail with.
   * @throws {FileError} When too many files are open.
   */
  async take(toError?: ToError): Promise<StreamSocket> {
    try {
      // Loaded for the first connection: most machines have none.
      const loading = import("../host/stream_socket.ts");
      const descriptor = await this.call("fileDescriptor");
      return (await loading).StreamSocket.copyOf(descriptor, toError);
    } finally {
      await this.close();
    }
  }

  /** Closes the framework's descriptor, and the connection with it if nobody has another. */
  async close(): Promise<void> {
    await this.call("close");
    this.object[Symbol.dispose]();
  }
}

/** Says at once whether a connection is accepted. The machine's queue waits for it. */
export type Acceptance = (connection: VZVirtioSocketConnection) => boolean;

let delegates: DefinedClass<VZVirtioSocketListener> | undefined;

/** Hears of the guest's connections to ports of the host's. macOS 11. */
export class VZVirtioSocketListener extends VZObject<"VZVirtioSocketListener"> {
  static override readonly api = new VZClass("VZVirtioSocketListener", "A listener for the guest");

  #accept?: (connection: NSObject) => boolean;
  #delegate?: NSObject; // which the framework has only weakly

  /** @param queue The machine's. */
  static create(queue: DispatchQueue, accept: Acceptance): VZVirtioSocketListener {
    delegates ??= defineClass<VZVirtioSocketListener>("VZRunSocketListenerDelegate", {
      "listener:shouldAcceptNewConnection:fromSocketDevice:": {
        types: "B@:@@@",
        implementation: (listener, _, connection) => listener.#accept!(connection as NSObject),
      },
    });
    const listener = new this(this.api.create("init"));
    listener.#accept = (connection) => {
      const isAccepted = accept(new VZVirtioSocketConnection(queue, connection));
      if (!isAccepted) connection[Symbol.dispose](); // it ends with its last reference
      return isAccepted;
    };
    listener.#delegate = delegates.create(listener);
    listener.send("setDelegate:", listener.#delegate);
    return listener;
  }

  /** Keeps the program alive and its event loop awake for the guest, until {@linkcode unref}. */
  ref(): void {
    delegates!.ref();
  }

  /** Undoes {@linkcode ref}. */
  unref(): void {
    delegates!.unref();
  }
}

/** The socket device of a running machine. macOS 11. */
export class VZVirtioSocketDevice extends QueueObject<"VZVirtioSocketDevice"> {
  static override readonly api = new VZClass("VZVirtioSocketDevice", "A running machine's sockets");

  /** Kept here, since a delegate holds its listener weakly. */
  readonly #listeners = new Map<number, VZVirtioSocketListener>();

  /**
   * Connects to a port of the guest's.
   *
   * @throws {NSError} When nobody listens there.
   */
  async connect(port: number): Promise<VZVirtioSocketConnection> {
    return new VZVirtioSocketConnection(
      this.queue,
      await this.complete("connectToPort:completionHandler:", port),
    );
  }

  /** Listens at a port of the host's, until {@linkcode unlisten}. One that was listened at before is taken over. */
  async listen(port: number, accept: Acceptance): Promise<void> {
    const listener = VZVirtioSocketListener.create(this.queue, accept);
    listener.ref();
    this.#listeners.get(port)?.unref();
    this.#listeners.set(port, listener);
    await this.call("setSocketListener:forPort:", listener, port);
  }

  /** Listens at a port no more. */
  async unlisten(port: number): Promise<void> {
    const listener = this.#listeners.get(port);
    if (!listener) return;
    this.#listeners.delete(port);
    await this.call("removeSocketListenerForPort:", port);
    listener.unref();
  }
}
