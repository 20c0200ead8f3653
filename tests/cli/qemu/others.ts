/**
 * Lines that somebody who had not seen the table picked, with the answer that was expected before they were tried: a
 * machine, or a refusal.
 */
export const OTHERS: readonly (readonly [answer: "does" | "so" | "cannot", line: string])[] = [
  [
    "does",
    '-enable-kvm -cpu host -smp 2 -m 1024 -kernel bzImage -initrd initrd -append "root=/dev/vda console=hvc0 rw" -drive file=disk.img,if=virtio,format=raw -nographic',
  ],
  ["does", '-kernel bzImage -initrd initrd -append "console=ttyS0 nokaslr" -nographic -m 512'],
  ["cannot", '-kernel bzImage -initrd initrd -append "console=ttyS0 nokaslr" -nographic -s -S'],
  ["cannot", "-hda disk.img -m 512 -boot c -net nic,model=rtl8139 -net user"],
  ["does", "-hda disk.qcow2 -cdrom live.iso -boot d -m 2048 -enable-kvm"],
  [
    "cannot",
    "-drive if=pflash,format=raw,readonly=on,file=OVMF_CODE.fd -drive if=pflash,format=raw,file=OVMF_VARS.fd -drive file=disk.img,format=raw,if=virtio -m 4G",
  ],
  ["cannot", "-bios OVMF_CODE.fd -drive file=disk.img,format=raw -m 2G"],
  [
    "does",
    "-m 4G -smp 2 -cpu host -accel kvm -drive file=disk.qcow2,if=virtio,cache=none -netdev user,id=n0 -device virtio-net-pci,netdev=n0",
  ],
  ["cannot", "-drive file=disk.qcow2,if=virtio,cache=none,aio=native -m 1G -smp 1"],
  [
    "does",
    "-netdev user,id=net0,hostfwd=tcp::22822-:22 -device virtio-net-pci,netdev=net0 -drive file=disk.qcow2,if=virtio -m 2G",
  ],
  ["cannot", "-netdev user,id=n0 -device e1000,netdev=n0 -hda disk.img"],
  [
    "does",
    "-machine q35,accel=kvm -cpu host -m 2048 -nographic -drive if=virtio,format=qcow2,file=disk.qcow2 -drive if=virtio,format=raw,file=other.img,readonly=on -net nic,model=virtio -net user",
  ],
  [
    "cannot",
    "-device virtio-scsi-pci,id=scsi0 -drive file=disk.img,if=none,id=hd0,format=raw -device scsi-hd,drive=hd0,bus=scsi0.0",
  ],
  [
    "cannot",
    "-name web,debug-threads=on -no-shutdown -chardev socket,id=qmp,path=100.qmp,server=on,wait=off -mon chardev=qmp,mode=control -pidfile 100.pid -smp 2,sockets=1,cores=2,maxcpus=2 -nodefaults -hda disk.img",
  ],
  [
    "cannot",
    "-name guest=web,debug-threads=on -machine pc-q35-7.2,usb=off,vmport=off,dump-guest-core=off -accel kvm -cpu host,migratable=on -m 4096 -overcommit mem-lock=off -smp 2,sockets=2,cores=1,threads=1 -uuid 4dea22b3-1d52-d8f3-2516-782e98ab3fa0 -no-user-config -nodefaults -chardev socket,id=charmonitor,fd=30,server=on,wait=off -mon chardev=charmonitor,id=monitor,mode=control -rtc base=utc,driftfix=slew",
  ],
  [
    "cannot",
    '-nodefaults -m 2048 -blockdev \'{"driver":"file","filename":"disk.qcow2","node-name":"libvirt-1-storage","auto-read-only":true,"discard":"unmap"}\' -blockdev \'{"node-name":"libvirt-1-format","read-only":false,"driver":"qcow2","file":"libvirt-1-storage"}\' -device \'{"driver":"virtio-blk-pci","bus":"pci.4","addr":"0x0","drive":"libvirt-1-format","id":"virtio-disk0","bootindex":1}\'',
  ],
  [
    "does",
    "-blockdev driver=file,filename=disk.qcow2,node-name=f0 -blockdev driver=qcow2,file=f0,node-name=d0 -device virtio-blk-pci,drive=d0 -m 1G",
  ],
  [
    "does",
    "-blockdev qcow2,node-name=d0,file.driver=file,file.filename=disk.qcow2 -device virtio-blk-pci,drive=d0,serial=abc123",
  ],
  [
    "does",
    "-m 4096 -cpu host -machine q35,vmport=off,accel=hvf -smp 2,sockets=1,cores=2,threads=1 -boot order=d -drive file=live.iso,format=raw,media=cdrom,readonly=on -drive file=disk.qcow2,if=virtio -netdev user,id=net0 -device virtio-net-pci,netdev=net0,mac=52:55:55:11:22:33 -device virtio-rng-pci -display none",
  ],
  [
    "cannot",
    "-name ubuntu,process=ubuntu -machine q35,smm=off,vmport=off,accel=kvm -global kvm-pit.lost_tick_policy=discard -cpu host -smp cores=2,threads=2,sockets=1 -m 4G -device virtio-balloon -rtc base=localtime,clock=host,driftfix=slew -vga none -device virtio-vga-gl,xres=1280,yres=800 -display sdl,gl=on -device virtio-rng-pci,rng=rng0 -object rng-random,id=rng0,filename=/dev/urandom -device qemu-xhci,id=usb -hda disk.qcow2",
  ],
  [
    "cannot",
    "-M q35 -m 2G -device virtio-vga -display sdl -device qemu-xhci -device usb-tablet -device usb-kbd -drive file=disk.qcow2,if=virtio -cdrom live.iso",
  ],
  ["cannot", "-vga virtio -display gtk,gl=on -hda disk.qcow2 -m 2G"],
  ["cannot", "-fda disk.img -boot a"],
  ["cannot", "-soundhw hda -hda disk.img"],
  ["cannot", "-vnc :1 -hda disk.img -m 1G"],
  ["cannot", "-monitor stdio -kernel bzImage -initrd initrd"],
  ["cannot", "-monitor telnet:127.0.0.1:5555,server,nowait -serial stdio -kernel bzImage"],
  ["does", "-qmp unix:qmp.sock,server,nowait -kernel bzImage -initrd initrd -display none"],
  ["does", "-serial unix:con.sock,server,nowait -kernel bzImage -initrd initrd -display none"],
  ["does", "-serial telnet:127.0.0.1:4444,server=on,wait=off -kernel bzImage -initrd initrd -display none"],
  [
    "does",
    "-chardev stdio,id=char0,mux=on,signal=off -serial chardev:char0 -mon chardev=char0 -kernel bzImage -initrd initrd -nographic",
  ],
  [
    "cannot",
    "-device virtio-serial-pci -chardev socket,id=ch0,path=agent.sock,server=on,wait=off -device virtserialport,chardev=ch0,name=org.qemu.guest_agent.0 -hda disk.qcow2",
  ],
  [
    "does",
    "-device virtio-serial -chardev stdio,id=c0 -device virtconsole,chardev=c0 -kernel bzImage -initrd initrd -append console=hvc0 -display none",
  ],
  [
    "does",
    "-virtfs local,path=share,mount_tag=host0,security_model=none,id=host0 -kernel bzImage -initrd initrd -display none",
  ],
  [
    "cannot",
    "-fsdev local,id=fs0,path=share,security_model=none -device virtio-9p-pci,fsdev=fs0,mount_tag=host0 -kernel bzImage",
  ],
  [
    "cannot",
    "-chardev socket,id=char0,path=vfsd.sock -device vhost-user-fs-pci,queue-size=1024,chardev=char0,tag=myfs -object memory-backend-memfd,id=mem,size=4G,share=on -numa node,memdev=mem -m 4G -hda disk.img",
  ],
  [
    "cannot",
    "-drive file=disk.img,if=none,id=nvm,format=raw -device nvme,serial=deadbeef,drive=nvm -kernel bzImage -initrd initrd -display none",
  ],
  [
    "does",
    "-drive if=none,id=stick,format=raw,file=disk.img -device nec-usb-xhci,id=xhci -device usb-storage,bus=xhci.0,drive=stick -kernel bzImage -initrd initrd -display none",
  ],
  [
    "cannot",
    "-device usb-ehci,id=ehci -drive if=none,id=stick,file=disk.img,format=raw -device usb-storage,bus=ehci.0,drive=stick -kernel bzImage",
  ],
  ["cannot", "-device vfio-pci,host=01:00.0 -hda disk.img"],
  [
    "cannot",
    "-netdev tap,id=n0,ifname=tap0,script=no,downscript=no -device virtio-net-pci,netdev=n0 -hda disk.img",
  ],
  ["cannot", "-netdev socket,id=n0,listen=:1234 -device virtio-net-pci,netdev=n0 -hda disk.img"],
  ["does", "-nic user,model=virtio-net-pci,mac=52:54:00:12:34:56 -hda disk.qcow2 -display none"],
  ["cannot", "-nic user,model=e1000e -hda disk.qcow2"],
  ["does", '-nic none -kernel bzImage -initrd initrd -append "quiet console=hvc0" -nographic'],
  ["does", "-net none -kernel bzImage -initrd initrd -serial mon:stdio -display none"],
  ["cannot", "-device isa-debug-exit,iobase=0xf4,iosize=0x04 -serial stdio -display none -kernel bzImage"],
  ["cannot", "-d int,cpu_reset -D qemu.log -hda disk.img -no-reboot -no-shutdown"],
  ["cannot", "-drive format=raw,file=disk.img -debugcon stdio"],
  ["cannot", "-drive format=raw,file=fat:rw:share -net none"],
  [
    "does",
    "-drive file=disk.img,index=0,media=disk,format=raw -drive file=other.img,index=1,media=disk,format=raw -m 1G",
  ],
  ["does", "-m 2G,slots=2,maxmem=4G -smp cpus=2,maxcpus=2 -hda disk.qcow2"],
  ["cannot", "-smp 4,sockets=2,cores=4,threads=1 -hda disk.qcow2"],
  ["cannot", "-cdrom https://example.org/live.iso -m 1G"],
  [
    "cannot",
    "-chardev socket,id=chrtpm,path=swtpm.sock -tpmdev emulator,id=tpm0,chardev=chrtpm -device tpm-tis,tpmdev=tpm0 -hda disk.img",
  ],
  [
    "cannot",
    "-spice port=5930,disable-ticketing=on -device virtio-serial-pci -chardev spicevmc,id=vdagent,name=vdagent -device virtserialport,chardev=vdagent,name=com.redhat.spice.0 -vga qxl -hda disk.img",
  ],
  ["cannot", "-loadvm snap1 -hda disk.qcow2"],
  ["does", "-daemonize -pidfile vm.pid -display none -hda disk.qcow2"],
  [
    "cannot",
    '-m 2G -smp 2 -kernel bzImage -append "console=ttyS0 root=/dev/sda earlyprintk=serial net.ifnames=0" -drive file=disk.img,format=raw -net user,host=10.0.2.10,hostfwd=tcp:127.0.0.1:10021-:22 -net nic,model=e1000 -enable-kvm -nographic -pidfile vm.pid',
  ],
  [
    "cannot",
    "-M microvm,x-option-roms=off,isa-serial=off,rtc=off -no-acpi -enable-kvm -cpu host -nodefaults -no-user-config -nographic -no-reboot -device virtio-serial-device -chardev stdio,id=virtiocon0 -device virtconsole,chardev=virtiocon0 -kernel bzImage",
  ],
  ["cannot", "-smbios type=1,serial='ds=nocloud;s=http://10.0.2.2:8000/' -hda disk.qcow2"],
  ["cannot", "-fw_cfg name=opt/com.coreos/config,file=config.ign -hda disk.qcow2"],
  [
    "cannot",
    "-device ich9-ahci,id=ahci -device ide-hd,drive=d0,bus=ahci.0 -drive id=d0,if=none,file=disk.img,format=raw",
  ],
  ["cannot", "-usbdevice tablet -hda disk.qcow2 -display none"],
  ["cannot", "-k de -hda disk.img -display none"],
  ["cannot", "-drive file=disk.qcow2,if=ide -m 1G"],
  [
    "cannot",
    "-object iothread,id=io0 -drive file=disk.qcow2,if=none,id=d0,cache=none,aio=io_uring -device virtio-blk-pci,drive=d0,iothread=io0,num-queues=4",
  ],
  ["cannot", "-netdev user,id=n0 -device virtio-net-pci,netdev=n0,mq=on,vectors=10 -hda disk.img"],
  ["cannot", '-kernel bzImage -initrd initrd -append "console=ttyS0 panic=-1" -nographic -no-reboot'],
  ["cannot", "-accel tcg,thread=multi -smp 2 -kernel bzImage"],
  ["so", "-machine accel=kvm:tcg -m 512 -kernel bzImage -initrd initrd -display none"],
  ["so", "-accel kvm -accel tcg -m 512 -kernel bzImage -initrd initrd -display none"],
  ["cannot", "-cpu Haswell-v4 -kernel bzImage"],
  [
    "does",
    "-drive if=none,file=disk.qcow2,id=d0 -device virtio-blk-pci,drive=d0,bootindex=1 -netdev user,id=n0 -device virtio-net-pci,netdev=n0,romfile= -display none",
  ],
  ["cannot", "-boot once=d,menu=on -cdrom live.iso -hda disk.img"],
  ["cannot", "-boot d -cdrom live.iso -hda disk.img -m 512 -vga std"],
  [
    "so",
    "-parallel none -serial none -monitor none -nodefaults -display none -kernel bzImage -initrd initrd",
  ],
  ["cannot", "-sandbox on,obsolete=deny -msg timestamp=on -overcommit mem-lock=off -hda disk.img"],
  [
    "cannot",
    "-device pcie-root-port,port=16,chassis=1,id=pci.1,bus=pcie.0,multifunction=on,addr=0x2 -hda disk.img",
  ],
  ["does", "-device vhost-vsock-pci,guest-cid=3 -hda disk.img"],
  ["cannot", "-audiodev coreaudio,id=a0 -device intel-hda -device hda-output,audiodev=a0 -hda disk.img"],
  ["cannot", "-rtc base=localtime,clock=host -hda disk.img"],
  ["cannot", "-drive file=disk.qcow2,if=virtio,discard=unmap,detect-zeroes=unmap -m 1G"],
  ["cannot", "-device usb-host,vendorid=0x1234,productid=0x5678 -hda disk.img"],
  ["cannot", "-device virtio-keyboard-pci -device virtio-tablet-pci -device virtio-gpu-pci -hda disk.img"],
  [
    "so",
    "-object rng-random,filename=/dev/urandom,id=rng0 -device virtio-rng-pci,rng=rng0 -device virtio-balloon-pci -kernel bzImage -initrd initrd -display none",
  ],
  [
    "does",
    "-serial file:boot.log -kernel bzImage -initrd initrd -display none -name fedora -uuid 4dea22b3-1d52-d8f3-2516-782e98ab3fa0",
  ],
  ["does", "disk.qcow2 -m 1.5G -smp cores=2,threads=1 -nographic"],
  ["cannot", "-device edu -device virtio-rng-pci -kernel bzImage"],
  [
    "cannot",
    "-device virtio-mem-pci,id=vm0,memdev=mem0,requested-size=1G -object memory-backend-ram,id=mem0,size=4G -m 2G,maxmem=8G -hda disk.img",
  ],
];
