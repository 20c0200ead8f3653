// Drives a machine by go-qemu, a client of QMP that is not ours. Prints what the machine says.
//
//	go_qemu SOCKET
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/digitalocean/go-qemu/qemu"
	"github.com/digitalocean/go-qemu/qmp"
)

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

// wait returns when the machine has told an event of this name.
func wait(events <-chan qmp.Event, name string) {
	limit := time.After(60 * time.Second)
	for {
		select {
		case event := <-events:
			if event.Event == name {
				fmt.Println("event", name)
				return
			}
		case <-limit:
			check(name, fmt.Errorf("it was not told"))
		}
	}
}

func main() {
	monitor, err := qmp.NewSocketMonitor("unix", os.Args[1], 5*time.Second)
	check("socket", err)
	check("connect", monitor.Connect())
	domain, err := qemu.NewDomain(monitor, "machine")
	check("domain", err)
	events, _, err := domain.Events()
	check("events", err)

	status := func() {
		now, err := domain.Status()
		check("status", err)
		fmt.Println("status", now)
	}
	run := func(command string) {
		_, err := domain.Run(qmp.Command{Execute: command})
		check(command, err)
	}
	version, err := domain.Version()
	check("version", err)
	fmt.Println("version", version)
	devices, err := domain.BlockDevices()
	check("block devices", err)
	for _, device := range devices {
		fmt.Println("disk", device.Device, device.Inserted.ReadOnly)
	}
	status()
	run("stop")
	wait(events, "STOP")
	status()
	run("cont")
	wait(events, "RESUME")
	status()
	check("powerdown", domain.SystemPowerdown())
	wait(events, "POWERDOWN")
	wait(events, "SHUTDOWN")
}
