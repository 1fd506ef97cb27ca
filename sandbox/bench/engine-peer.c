/*
 * The peer of `npm run bench engine`: a VMM in C over /dev/kvm, as plain as KVM allows.
 *
 * engine-peer exits COUNT HEX: runs the guest HEX in real mode at 0x1000 until COUNT exits are handled.
 * engine-peer rounds COUNT HEX: runs it with EBX = COUNT until it halts.
 * Prints the seconds that the guest ran.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

enum { RAM = 0x10000, CODE = 0x1000, PORT = 0x10 };

static volatile uint64_t sent;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int check(int result, const char *call)
{
	if (result < 0)
		err(1, "%s", call);
	return result;
}

static void load(uint8_t *memory, const char *hex)
{
	for (; hex[0] && hex[1]; hex += 2) {
		unsigned byte;
		if (sscanf(hex, "%2x", &byte) != 1)
			errx(1, "%s: no hexadecimal number", hex);
		*memory++ = byte;
	}
}

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(2, "usage: engine-peer exits|rounds COUNT HEX");
	uint64_t count = strtoull(argv[2], NULL, 10);

	int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "open /dev/kvm");
	int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	check(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
	uint8_t *memory = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = { .memory_size = RAM, .userspace_addr = (uintptr_t)memory };
	check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	int vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	int size = check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (memory == MAP_FAILED || run == MAP_FAILED)
		err(1, "mmap");

	load(memory + CODE, argv[3]);
	struct kvm_sregs sregs;
	check(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	check(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	struct kvm_regs regs = { .rip = CODE, .rbx = count, .rflags = 2 };
	check(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");

	double start = now();
	for (uint64_t exits = 0;;) {
		check(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			if (run->io.port == PORT && run->io.direction == KVM_EXIT_IO_OUT)
				sent += run->io.count;
			break;
		case KVM_EXIT_HLT:
			goto done;
		default:
			errx(1, "exit reason %u", run->exit_reason);
		}
		if (++exits == count && strcmp(argv[1], "exits") == 0)
			break;
	}
done:
	printf("%.9f\n", now() - start);
	return 0;
}
