; The image's first steps: the multiboot header, segments of our own, a stack, a cleared .bss.
; Entered in flat 32-bit protected mode with paging off, by a multiboot loader or by boot.asm.
; Source: Multiboot Specification 0.6.96, 3.1 "OS image format", 3.2 "Machine state".

extern main
extern bss_start
extern bss_end

MAGIC       equ 0x1bad_b002
FLAGS       equ 0x0000_0001     ; modules on page boundaries

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
            xor eax, eax
            rep stosb
            call main
.stop:      hlt
            jmp .stop

section .data
align 8
gdt:        dq 0
            dq 0x00cf_9b00_0000_ffff    ; 0x08: code, 4 GiB, 32 bits
            dq 0x00cf_9300_0000_ffff    ; 0x10: data
gdtr:       dw gdtr - gdt - 1
            dd gdt

section .stack nobits alloc write align=4096
            resb 0x1_0000
stack_top:

section .note.GNU-stack noalloc
