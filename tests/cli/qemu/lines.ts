/**
 * Lines that people start qemu with, as documentation, wikis and scripts have them, in our own paths and names; each
 * without the program's name. `does`: what must be in the machine. `cannot`: what the one line of refusal says.
 */
export interface Line {
  line: string;
  does?: Record<string, unknown>;
  /** What -verbose says of words that were taken because they are so anyway. */
  so?: RegExp;
  cannot?: RegExp;
}

const disk = (file: string, some: Record<string, unknown> = {}) => ({ file, interface: "virtio", ...some });
const cd = (file: string) => ({ file, interface: "usb", readOnly: true, media: "cdrom", format: "raw" });
const NAT = { kind: "nat" };
const STDIO = { kind: "stdio" };

export const LINES: readonly Line[] = [
  // A kernel of one's own.
  { line: "-kernel bzImage -initrd initrd -append console=hvc0 -nographic", does: { serial: [STDIO] } },
  {
    line: "-kernel bzImage -m 512M -smp 2 -enable-kvm -nographic -no-reboot",
    cannot: /^-no-reboot: .*power off/,
  },
  {
    line: "-kernel bzImage -m 1G -enable-kvm -cpu host -nographic",
    does: { memory: 2 ** 30 },
    so: /-enable-kvm/,
  },
  { line: "-M q35 -kernel bzImage -nographic", so: /-machine q35/ },
  { line: "-machine type=q35,accel=kvm -kernel bzImage -nographic", so: /processor's own/ },
  { line: "-machine q35,accel=kvm:tcg -cpu max -kernel bzImage -nographic", so: /processor's own/ },
  {
    line: "-machine pc-q35-8.2,usb=off,vmport=off,dump-guest-core=off -kernel bzImage -nographic",
    so: /vmport/,
  },
  { line: "-machine q35,smm=on -kernel bzImage", cannot: /^-machine .*smm=: there is no SMM$/ },
  { line: "-M microvm -kernel bzImage", cannot: /^-M microvm: .*one machine/ },
  { line: "-M virt -kernel Image", cannot: /^-M virt: .*aarch64/ },
  { line: "-accel hvf -kernel bzImage -nographic", so: /processor's own/ },
  { line: "-accel tcg,thread=multi -kernel bzImage", cannot: /^-accel .*emulates no processor/ },
  { line: "-cpu Skylake-Client -kernel bzImage", cannot: /^-cpu Skylake-Client: / },
  { line: "-cpu host,+vmx -kernel bzImage", cannot: /^-cpu host,\+vmx: / },
  { line: "-kernel bzImage -s -S", cannot: /^-s: .*debugger/ },
  { line: "-kernel bzImage -S", cannot: /^-S needs -qmp/ },
  { line: "-kernel bzImage -gdb tcp::1234", cannot: /^-gdb .*debugger/ },
  { line: "-kernel bzImage -d guest_errors -D log", cannot: /^-d guest_errors: .*-d is a disk here/ },
  { line: "-kernel bzImage -d int,cpu_reset", cannot: /^-d int,cpu_reset: .*-verbose/ },
  { line: "-k de -kernel bzImage", cannot: /^-k de: .*-k is the kernel here/ },
  { line: "-kernel bzImage -dtb board.dtb", cannot: /^-dtb board\.dtb: / },
  { line: "-kernel bzImage -bios OVMF.fd", cannot: /^-bios OVMF\.fd: .*-efi/ },
  { line: "-kernel bzImage -rtc base=utc,clock=host -nographic", so: /UTC/ },
  { line: "-kernel bzImage -rtc base=localtime", cannot: /^-rtc base=localtime: base=: .*UTC/ },
  { line: "-kernel bzImage -no-acpi", cannot: /^-no-acpi: / },
  { line: "-kernel bzImage -daemonize -pidfile p", does: { serial: [{ kind: "null" }] } },
  {
    line: "-kernel bzImage -daemonize -display none -serial file:log",
    does: { serial: [{ kind: "file", path: "log" }] },
  },
  { line: "-kernel bzImage -daemonize -nographic", cannot: /^-daemonize: .* no terminal .*-display none/ },
  { line: "-kernel bzImage -daemonize -serial mon:stdio", cannot: /^-daemonize: .*on stdio: -serial file:/ },
  { line: "-kernel bzImage -daemonize -vga virtio", cannot: /^-daemonize: .* no screen for -vga virtio/ },
  {
    line: "-kernel bzImage -action reboot=reset,shutdown=poweroff -nographic",
    so: /reboot=reset: .*goes on/,
  },
  { line: "-kernel bzImage -action reboot=shutdown", cannot: /^-action .*reboot=: .*power off/ },
  { line: "-kernel bzImage -action shutdown=pause", cannot: /^-action .*shutdown=: nothing is left/ },
  { line: "-kernel bzImage -no-shutdown", cannot: /^-no-shutdown: nothing is left/ },

  // Memory and processors.
  { line: "-kernel bzImage -m size=2G,slots=2,maxmem=4G", does: { memory: 2 ** 31 }, so: /stays at 2G/ },
  { line: "-kernel bzImage -m 2048", does: { memory: 2 ** 31 } },
  { line: "-kernel bzImage -m 2G,maxmem=1G", cannot: /maxmem=1G is less than 2G/ },
  { line: "-kernel bzImage -smp cpus=2,sockets=1,cores=2,threads=1", does: { processors: 2 } },
  { line: "-kernel bzImage -smp 1,maxcpus=2", does: { processors: 1 }, so: /stays at 1/ },
  { line: "-kernel bzImage -smp cores=2", does: { processors: 2 } },
  { line: "-kernel bzImage -smp 2,sockets=2,cores=2,threads=1", cannot: /contradict each other$/ },
  { line: "-kernel bzImage -object memory-backend-memfd,id=mem,size=1G,share=on", cannot: /^-object .*-m$/ },
  { line: "-kernel bzImage -mem-path /dev/hugepages -mem-prealloc", cannot: /^-mem-path .*-m$/ },
  { line: "-kernel bzImage -numa node,cpus=0", cannot: /^-numa .*one piece/ },
  { line: "-kernel bzImage -overcommit mem-lock=off", so: /not locked/ },

  // Disks and CDs.
  { line: "disk.img -m 1G -nographic", does: { boot: { kind: "efi" }, disks: [disk("disk.img")] } },
  { line: "live.iso -m 1G -nographic", does: { boot: { kind: "efi" }, disks: [cd("live.iso")] } },
  { line: "-hda disk.img -cdrom live.iso -boot d", does: { disks: [cd("live.iso"), disk("disk.img")] } },
  {
    line: "-hda disk.img -cdrom live.iso -boot order=c,menu=off",
    does: { disks: [disk("disk.img"), cd("live.iso")] },
  },
  { line: "-hda disk.img -cdrom live.iso -boot once=d", cannot: /^-boot once=d: once=: / },
  { line: "-hda disk.img -boot menu=on", cannot: /no menu/ },
  { line: "-boot n -kernel bzImage", cannot: /^-boot n: .*network/ },
  { line: "-boot d -hda disk.img", cannot: /^-boot d: there is no CD/ },
  {
    line: "-drive file=disk.img,format=raw,if=virtio -kernel bzImage",
    does: { disks: [disk("disk.img", { format: "raw" })] },
  },
  { line: "-drive file=disk.img,if=ide -kernel bzImage", cannot: /if=ide: .*if=virtio$/ },
  {
    line: "-drive if=pflash,format=raw,readonly=on,file=OVMF_CODE.fd -hda disk.img",
    cannot: /if=pflash: .*-efi/,
  },
  {
    line: "-drive file=live.iso,media=cdrom -hda disk.img",
    does: { disks: [cd("live.iso"), disk("disk.img")] },
  },
  {
    line: "-drive file=disk.img,index=1 -drive file=other.img,index=0 -kernel bzImage",
    does: { disks: [disk("other.img"), disk("disk.img")] },
  },
  {
    line: "-drive file=disk.img,readonly -kernel bzImage",
    does: { disks: [disk("disk.img", { readOnly: true })] },
  },
  {
    line: "-drive file=a,,b.img,cache=none,aio=threads -kernel bzImage",
    does: { disks: [disk("a,b.img", { cache: "none" })] },
    so: /aio=threads/,
  },
  { line: "-drive file=disk.img,aio=native -kernel bzImage", cannot: /aio=: / },
  { line: "-drive file=disk.img,discard=unmap -kernel bzImage", cannot: /discard=: / },
  { line: "-drive file=disk.img,detect-zeroes=unmap -kernel bzImage", cannot: /detect-zeroes=: / },
  {
    line: "-drive file=disk.img,discard=ignore,detect-zeroes=off -kernel bzImage",
    does: { disks: [disk("disk.img")] },
    so: /discard=.*\n.*detect-zeroes=/,
  },
  { line: "-drive file=disk.img,werror=stop -kernel bzImage", cannot: /werror=: / },
  {
    line:
      "-drive if=none,id=d0,file=disk.img -device virtio-blk-pci,drive=d0,serial=S1,bootindex=1 -kernel bzImage",
    does: { disks: [disk("disk.img", { serial: "S1" })] },
  },
  {
    line: "-device nvme,drive=n,serial=N1 -drive id=n,if=none,file=disk.img -kernel bzImage",
    cannot: /serial=: the serial number of such a disk/,
  },
  {
    line: "-device nvme,drive=n -drive id=n,if=none,file=disk.img -kernel bzImage",
    does: { disks: [{ file: "disk.img", interface: "nvme" }] },
  },
  {
    line:
      "-device qemu-xhci -drive if=none,id=stick,file=disk.img -device usb-storage,drive=stick -kernel bzImage",
    does: { disks: [{ file: "disk.img", interface: "usb" }], usb: true },
  },
  { line: "-device nec-usb-xhci,id=xhci -kernel bzImage -nographic", does: { usb: true } },
  { line: "-device qemu-xhci,p2=8 -kernel bzImage", cannot: /p2=: how many ports/ },
  { line: "-drive if=none,id=d0,file=disk.img -kernel bzImage", cannot: /id=d0 is used by nobody/ },
  { line: "-device virtio-blk-pci,drive=d0 -kernel bzImage", cannot: /no -drive has id=d0/ },
  {
    line: "-device ide-hd,drive=d0 -drive if=none,id=d0,file=disk.img -kernel bzImage",
    cannot: /^-device ide-hd.*virtio-blk-pci/,
  },
  {
    line: "-device virtio-scsi-pci -device scsi-hd,drive=d0 -drive if=none,id=d0,file=disk.img",
    cannot: /^-device virtio-scsi-pci: /,
  },
  {
    line:
      "-blockdev driver=file,node-name=f,filename=disk.img -blockdev driver=raw,node-name=r,file=f -device virtio-blk-pci,drive=r -kernel bzImage",
    does: { disks: [disk("disk.img", { format: "raw" })] },
  },
  { line: "-fda boot.img", cannot: /^-fda boot\.img: .*floppies/ },
  {
    line:
      "-virtfs local,path=.,mount_tag=t,id=one -virtfs local,path=share,mount_tag=t,id=two,readonly=on -kernel bzImage",
    does: {
      shares: [{ tag: "t", name: "one", folder: "." }, {
        tag: "t",
        name: "two",
        folder: "share",
        readOnly: true,
      }],
    },
  },
  {
    line: "-virtfs local,path=.,mount_tag=host0,security_model=none,id=host0 -kernel bzImage",
    does: { shares: [{ tag: "host0", folder: "." }] },
  },
  {
    line:
      "-fsdev local,id=f,path=.,security_model=none -device virtio-9p-pci,fsdev=f,mount_tag=t -kernel bzImage",
    cannot: /^-fsdev .*-share/,
  },
  { line: "-loadvm before -hda disk.img", cannot: /^-loadvm before: / },

  // Networks.
  {
    line: "-kernel bzImage -nic user,model=virtio-net-pci",
    does: { network: [NAT] },
    so: /model=virtio-net-pci/,
  },
  {
    line: "-kernel bzImage -netdev user,id=net0 -device virtio-net-pci,netdev=net0",
    does: { network: [NAT] },
  },
  {
    line: "-kernel bzImage -device virtio-net-pci,netdev=n1,mac=52:54:00:12:34:56 -netdev user,id=n1",
    does: { network: [{ kind: "nat", mac: "52:54:00:12:34:56" }] },
  },
  { line: "-kernel bzImage -net nic -net user", does: { network: [NAT] } },
  {
    line: "-kernel bzImage -net nic,model=virtio,macaddr=52:54:00:aa:bb:cc -net user",
    does: { network: [{ mac: "52:54:00:aa:bb:cc" }] },
  },
  {
    line: "-kernel bzImage -net user,hostfwd=tcp::22822-:22 -net nic",
    does: { network: [{ kind: "nat", forward: [{ hostPort: 22822, guestPort: 22 }] }] },
  },
  {
    line:
      "-kernel bzImage -netdev user,id=n,hostfwd=tcp::22822-:22,hostfwd=udp:127.0.0.2:5300-10.0.2.15:53 -device virtio-net-pci,netdev=n",
    does: {
      network: [{
        forward: [{ hostPort: 22822, guestPort: 22 }, {
          protocol: "udp",
          hostAddress: "127.0.0.2",
          hostPort: 5300,
          guestAddress: "10.0.2.15",
          guestPort: 53,
        }],
      }],
    },
  },
  {
    line: "-kernel bzImage -netdev tap,id=n,ifname=tap0,script=no -device virtio-net-pci,netdev=n",
    cannot: /user, bridge, dgram and stream/,
  },
  {
    line:
      "-kernel bzImage -nic vmnet-shared,start-address=192.168.80.1,end-address=192.168.80.254,subnet-mask=255.255.255.0",
    does: { network: [{ kind: "nat", subnet: "192.168.80.1/24" }] },
  },
  {
    line: "-kernel bzImage -nic vmnet-host,isolated=on",
    does: { network: [{ kind: "host", isolated: true }] },
  },
  { line: "-kernel bzImage -nic vmnet-bridged,ifname=nosuch0", cannot: /no interface 'nosuch0'/ },
  {
    line:
      "-kernel bzImage -netdev dgram,id=n,remote.type=unix,remote.path=socket,local.type=unix,local.path=q -device virtio-net-pci,netdev=n",
    does: { network: [{ kind: "dgram", remote: "socket", local: "q" }] },
  },
  {
    line: "-kernel bzImage -nic dgram,local.type=fd,local.str=5,mtu=9000",
    cannot: /^-nic: cannot use descriptor 5: /,
  },
  { line: "-kernel bzImage -nic dgram,remote.type=inet,remote.host=a,remote.port=1", cannot: /remote\.host/ },
  {
    line: "-kernel bzImage -nic stream,server=on,addr.type=unix,addr.path=s",
    does: { network: [{ kind: "stream", server: true, address: { kind: "unix", path: "s" } }] },
  },
  {
    line: "-kernel bzImage -nic stream,addr.type=inet,addr.host=127.0.0.1,addr.port=9999,reconnect=5",
    does: { network: [{ address: { kind: "tcp", host: "127.0.0.1", port: 9999 }, reconnect: 5 }] },
  },
  { line: "-kernel bzImage -nic bridge,br=nosuch0,hostfwd=tcp::2222-:22", cannot: /hostfwd= goes with user/ },
  { line: "-kernel bzImage -nic user,hostfwd=tcp:2222-22", cannot: /expected tcp\|udp:\[ADDR\]:PORT/ },
  { line: "-kernel bzImage -nic user,hostfwd=tcp::0-:22", cannot: /0 is no port/ },
  {
    line: "-kernel bzImage -nic user,hostfwd=tcp::22822-:22,hostfwd=tcp::22822-:23",
    cannot: /tcp port 22822 of 127\.0\.0\.1 is given twice/,
  },
  { line: "-kernel bzImage -nic user,net=10.0.2.0/33", cannot: /net=10\.0\.2\.0\/33/ },
  { line: "-kernel bzImage -nic user,net=192.168.90.0/24,dhcpstart=192.168.91.9", cannot: /not in 192/ },
  {
    line: "-kernel bzImage -netdev user,id=n -device e1000,netdev=n",
    cannot: /^-device e1000,.*virtio-net-pci/,
  },
  { line: "-kernel bzImage -netdev user,id=n", cannot: /id=n is used by nobody/ },
  { line: "-kernel bzImage -device virtio-net-pci,netdev=n", cannot: /no -netdev has id=n/ },
  { line: "-kernel bzImage -nic none", does: { network: [] } },
  { line: "-kernel bzImage -nodefaults", does: { network: [], serial: [] } },
  {
    line: "-kernel bzImage -nodefaults -no-user-config -serial stdio",
    does: { network: [], serial: [STDIO] },
    so: /configuration file/,
  },

  // Consoles.
  { line: "-kernel bzImage -serial mon:stdio", does: { serial: [STDIO] } },
  { line: "-kernel bzImage -serial stdio -monitor none", does: { serial: [STDIO] }, so: /-monitor none/ },
  { line: "-kernel bzImage -monitor stdio", cannot: /^-monitor stdio: .*Ctrl-A/ },
  {
    line: "-kernel bzImage -serial unix:c.sock,server=on,wait=off",
    does: { serial: [{ kind: "unix", path: "c.sock" }] },
  },
  {
    line: "-kernel bzImage -serial unix:c.sock,server",
    does: { serial: [{ kind: "unix", path: "c.sock", wait: true }] },
  },
  {
    line: "-kernel bzImage -serial unix:c.sock,server,nowait",
    does: { serial: [{ kind: "unix", path: "c.sock" }] },
  },
  { line: "-kernel bzImage -serial unix:c.sock,server=off", cannot: /server=on$/ },
  {
    line: "-kernel bzImage -serial telnet:localhost:4444,server=on,wait=off",
    does: { serial: [{ kind: "tcp", host: "localhost", port: 4444, telnet: true }] },
  },
  {
    line: "-kernel bzImage -serial tcp::4444,server,nowait",
    does: { serial: [{ kind: "tcp", host: "127.0.0.1", port: 4444 }] },
  },
  { line: "-kernel bzImage -serial tcp:localhost:4444", cannot: /connects to nobody: server=on$/ },
  {
    line: "-kernel bzImage -serial file:boot.log,append=on",
    does: { serial: [{ kind: "file", path: "boot.log", append: true }] },
  },
  { line: "-kernel bzImage -serial /dev/ttyS0", cannot: /^-serial \/dev\/ttyS0: .*socat/ },
  { line: "-kernel bzImage -serial vc", cannot: /^-serial vc: / },
  { line: "-kernel bzImage -parallel none -vga none", does: { serial: [STDIO] }, so: /-parallel none/ },
  {
    line: "-kernel bzImage -chardev stdio,id=c,mux=on,signal=off -mon chardev=c -serial chardev:c",
    does: { serial: [STDIO] },
  },
  {
    line:
      "-kernel bzImage -chardev socket,id=s,path=c.sock,server=on,wait=off -device virtio-serial-pci -device virtconsole,chardev=s",
    does: { serial: [{ kind: "unix", path: "c.sock" }] },
  },
  {
    line: "-kernel bzImage -chardev file,id=f,path=boot.log -serial chardev:f",
    does: { serial: [{ kind: "file", path: "boot.log" }] },
  },
  {
    line: "-kernel bzImage -chardev constructor,id=c",
    cannot: /the kind is one of stdio, pty, file, socket, null$/,
  },
  { line: "-kernel bzImage -serial chardev:nobody", cannot: /no -chardev has id=nobody$/ },
  {
    line:
      "-kernel bzImage -chardev socket,path=ga.sock,server=on,wait=off,id=ga -device virtio-serial -device virtserialport,chardev=ga,name=org.qemu.guest_agent.0",
    cannot: /^-device virtserialport,.*no console/,
  },
  { line: "-kernel bzImage -S -qmp unix:q.sock,server,nowait", does: { serial: [STDIO] } },
  { line: "-kernel bzImage -qmp stdio,frob=1", cannot: /expected unix:PATH/ },

  // What else a machine has.
  {
    line: "-kernel bzImage -device virtio-rng-pci -device virtio-balloon-pci",
    so: /virtio-rng-pci.*\n.*virtio-balloon-pci/,
  },
  {
    line: "-kernel bzImage -object rng-random,id=rng0,filename=/dev/urandom -device virtio-rng-pci,rng=rng0",
    so: /random numbers/,
  },
  {
    line: "-kernel bzImage -usb -device usb-tablet -nographic",
    cannot: /^-device usb-tablet: only a window/,
  },
  { line: "-kernel bzImage -device virtio-gpu-pci -display none", cannot: /only a window/ },
  { line: "-kernel bzImage -vga std", cannot: /^-vga std: .*-vga virtio$/ },
  { line: "-kernel bzImage -vnc :1", cannot: /^-vnc :1: / },
  { line: "-kernel bzImage -spice port=5900", cannot: /^-spice port=5900: / },
  { line: "-kernel bzImage -display curses", cannot: /^-display curses: / },
  {
    line: "-kernel bzImage -audiodev coreaudio,id=a -device intel-hda -device hda-duplex,audiodev=a",
    cannot: /^-audiodev .*no sound/,
  },
  { line: "-kernel bzImage -device vfio-pci,host=01:00.0", cannot: /^-device vfio-pci.*host/ },
  { line: "-kernel bzImage -device pcie-root-port,id=p", cannot: /lays out the bus$/ },

  // Sockets that need no network; -vsock and -ready are ours.
  {
    line: "-kernel bzImage -nographic -device vhost-vsock-pci,guest-cid=3",
    does: { vsock: {} },
    so: /guest-cid=3: which CID the guest has is the framework's to choose/,
  },
  {
    line: "-kernel bzImage -nographic -device vhost-vsock-pci-non-transitional,id=v,guest-cid=42",
    does: { vsock: {} },
    so: /guest-cid=42/,
  },
  {
    line: "-kernel bzImage -device vhost-vsock-pci,vhostfd=3",
    cannot: /vhostfd=: the framework has no part/,
  },
  {
    line: "-kernel bzImage -device vhost-vsock-pci -device vhost-vsock-pci",
    cannot: /has one, and no more$/,
  },
  {
    line: "-kernel bzImage -device vhost-user-vsock-pci,chardev=c",
    cannot: /^-device vhost-user-vsock-pci.*-vsock$/,
  },
  {
    line:
      "-kernel bzImage -nographic -vsock connect,port=22,path=ssh.sock -vsock listen,port=1024,path=l -vsock path=v",
    does: {
      vsock: {
        join: [
          { kind: "connect", port: 22, path: "ssh.sock" },
          { kind: "listen", port: 1024, path: "l" },
          { kind: "hybrid", path: "v" },
        ],
      },
    },
  },
  {
    line: "-kernel bzImage -nographic -append quiet -ready up -device vhost-vsock-pci",
    does: {
      vsock: { ready: true },
      boot: {
        commandLine: "quiet systemd.set_credential=vmm.notify_socket:vsock-stream:2:1987736181",
      },
    },
    so: /no console=/,
  },
  {
    line: "-kernel bzImage -nographic -append console=hvc0,systemd.set_credential=vmm.notify_socket:x -ready",
    does: { vsock: { ready: true } },
  },
  {
    line: "-kernel bzImage -nographic -append systemd.set_credential=vmm.notify_socket:vsock:2:9 -ready",
    does: { boot: { commandLine: "systemd.set_credential=vmm.notify_socket:vsock:2:9" } },
    so: /no console=/,
  },
  {
    line: "-kernel bzImage -append systemd.set_credential=vmm.notify_socket:/run/x -ready",
    cannot: /^-ready: the command line has vmm\.notify_socket:\/run\/x/,
  },
  {
    line:
      "-kernel bzImage -append systemd.set_credential=vmm.notify_socket:vsock:2:9 -ready -vsock listen,port=9,path=p",
    cannot: /^-ready: listen with port 9,/,
  },
  { line: "-hda disk.img -nographic -ready", cannot: /^-ready: .*EFI .*boot the kernel itself\)$/ },
  // Ignition and the time after a sleep, which are vfkit's.
  {
    line: "-kernel bzImage -nographic -ignition initrd -timesync vsockPort=1234",
    does: { vsock: {} },
  },
  {
    line: "-kernel bzImage -ignition nowhere",
    cannot: /^cannot open Ignition file 'nowhere': no such file$/,
  },
  {
    line: "-kernel bzImage -ignition initrd -vsock listen,port=1024,path=l",
    cannot: /^-ignition and -vsock listen,port=1024 exclude each other: both answer there$/,
  },
  { line: "-kernel bzImage -timesync 1234", cannot: /^-timesync 1234: / },
  { line: "-kernel bzImage -timesync vsockPort=0", cannot: /^-timesync vsockPort=0: / },
  { line: "-kernel bzImage -ready disk.img", cannot: /^cannot write 'disk\.img': .*something else$/ },
  { line: "-kernel bzImage -ready v -vsock path=v", cannot: /^'v' is given twice/ },
  { line: "-kernel bzImage -vsock connect,port=0,path=s", cannot: /^-vsock: 0 is no port/ },
  { line: "-kernel bzImage -vsock listen,port=4294967295,path=s", cannot: /^-vsock: 4294967295 is no port/ },
  { line: "-kernel bzImage -vsock listen,port=4294967296,path=s", cannot: /^-vsock: 4294967296 is no port/ },
  { line: "-kernel bzImage -vsock listen,port=ssh,path=s", cannot: /^-vsock .*: expected a whole number$/ },
  {
    line: "-kernel bzImage -vsock listen,port=5,path=s -vsock listen,port=5,path=t",
    cannot: /^-vsock: listen with port 5 is given twice$/,
  },
  { line: "-kernel bzImage -vsock path=s -vsock path=t", cannot: /^-vsock: path= is given twice$/ },
  {
    line: "-kernel bzImage -vsock path=s -vsock connect,port=1,path=s",
    cannot: /^-vsock: 's' is given twice/,
  },
  { line: "-kernel bzImage -vsock path=no/s", cannot: /^-vsock: .*no folder 'no\/'$/ },
  { line: "-kernel bzImage -vsock path=disk.img", cannot: /^-vsock: .*it is there and no socket$/ },
  { line: `-kernel bzImage -vsock path=${"x".repeat(104)}`, cannot: /^-vsock: .*at most 103 bytes$/ },
  { line: "-kernel bzImage -vsock connect,path=s", cannot: /^-vsock .*: port=N is missing$/ },
  { line: "-kernel bzImage -vsock connect,port=1", cannot: /^-vsock .*: path=PATH is missing$/ },
  { line: "-kernel bzImage -vsock path=s,port=1", cannot: /^-vsock .*: port= goes with connect and listen$/ },
  { line: "-kernel bzImage -vsock tcp,port=1,path=s", cannot: /^-vsock .*: expected connect,/ },
  { line: "-kernel bzImage -name guest=web,debug-threads=on", does: { name: "web" }, so: /debug-threads=on/ },
  { line: "-kernel bzImage -name web,process=qemu-web", cannot: /process=: / },
  {
    line: "-kernel bzImage -uuid 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    does: { uuid: "6ba7b810-9dad-11d1-80b4-00c04fd430c8" },
  },
  { line: "-kernel bzImage -uuid 12", cannot: /^-uuid: '12' is no UUID/ },
  { line: "-kernel bzImage -smbios type=1,product=x", cannot: /^-smbios / },
  { line: "-kernel bzImage -fw_cfg name=opt/x,string=y", cannot: /^-fw_cfg / },
  { line: "-kernel bzImage -readconfig vm.cfg", cannot: /^-readconfig vm\.cfg: / },
  { line: "-kernel bzImage -sandbox on", cannot: /^-sandbox on: / },
  { line: "-kernel bzImage -msg timestamp=on", cannot: /timestamp=: / },
  { line: "-kernel bzImage -watchdog i6300esb", cannot: /^-watchdog i6300esb: / },
];
