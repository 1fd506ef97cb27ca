; The kernel's first steps and its ways in: the multiboot header, segments, a stack, and a stub for every
; vector that leads to `interrupt` in interrupts.c.
; Entered by a multiboot loader in flat 32-bit protected mode, EBX at the boot information.
; Source: Multiboot Specification 0.6.96, 3.1 and 3.2; Intel SDM vol. 3A, 6.12.

extern main
extern interrupt
extern bss_start
extern bss_end

MAGIC       equ 0x1bad_b002
FLAGS       equ 0x0000_0002     ; tell us about memory
VECTORS     equ 48              ; 32 exceptions, 16 interrupts of the PICs
INTERRUPTS_ON equ 0x200         ; EFLAGS.IF

section .multiboot
align 4
            dd MAGIC
            dd FLAGS
            dd -(MAGIC + FLAGS)

section .text
global start
start:
            cli
            cld
            lgdt [gdtr]
            jmp 0x08:.reload
.reload:
            mov eax, 0x10
            mov ds, eax
            mov es, eax
            mov fs, eax
            mov gs, eax
            mov ss, eax
            mov esp, stack_top
            mov edi, bss_start
            mov ecx, bss_end
            sub ecx, edi
            shr ecx, 2              ; the linker script keeps both ends at multiples of 4
            xor eax, eax
            rep stosd
            push ebx
            call main
.stop:      cli
            hlt
            jmp .stop

; A stub pushes its vector, and a zero where the processor pushes no error code, so that all frames are
; alike. Vectors with an error code: 8, 10 to 14, 17 (SDM vol. 3A, table 6-1).
%macro STUB 1
stub%1:
%if %1 != 8 && (%1 < 10 || %1 > 14) && %1 != 17
            push dword 0
%endif
            push dword %1
            jmp enter
%endmacro

%assign vector 0
%rep VECTORS
            STUB vector
%assign vector vector + 1
%endrep

enter:
            pushad
            cld
            push esp                ; struct frame *
            call interrupt
            add esp, 4
            popad
            add esp, 8              ; vector and error code

; Back to EIP, CS, EFLAGS on the stack. Between equal privilege levels IRET does no more than a POPFD and a
; RET, and those are what a KVM runs that has no processor for the guest but an interpreter: IRET in
; protected mode is missing there. Interrupts go on by STI, which holds them off until RET is done, so
; that a flood of them never piles up on the stack.
            push eax
            mov eax, [esp + 4]
            xchg eax, [esp + 12]    ; EIP in the place of EFLAGS
            mov [esp + 8], eax      ; EFLAGS in the place of CS
            pop eax
            add esp, 4
            test dword [esp], INTERRUPTS_ON
            jz .off
            and dword [esp], ~INTERRUPTS_ON
            popfd
            sti
            ret
.off:       popfd
            ret

%macro ADDRESS 1
            dd stub%1
%endmacro

section .rodata
global stubs
stubs:
%assign vector 0
%rep VECTORS
            ADDRESS vector
%assign vector vector + 1
%endrep

section .data
align 8
gdt:        dq 0
            dq 0x00cf_9b00_0000_ffff    ; 0x08: code, 4 GiB, 32 bits
            dq 0x00cf_9300_0000_ffff    ; 0x10: data
gdtr:       dw gdtr - gdt - 1
            dd gdt

section .stack nobits alloc write align=4096
            resb 0x4000
stack_top:

section .note.GNU-stack noalloc
