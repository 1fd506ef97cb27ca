; A boot sector for emulators without a multiboot loader: reads the flat image that follows it on the
; disk, switches to protected mode, moves the image to 1 MiB and jumps to it.
; The host writes the image's length in sectors and its entry point into the last bytes of the sector.

bits 16
org 0x7c00

BUFFER      equ 0x1_0000        ; up to 384 KiB of free memory
IMAGE       equ 0x10_0000
AT_ONCE     equ 32              ; sectors: 16 KiB, never across 64 KiB

            jmp 0x0000:begin
begin:      cli
            xor ax, ax
            mov ds, ax
            mov es, ax
            mov ss, ax
            mov sp, 0x7c00
            mov [drive], dl
            sti
            movzx ebp, word [sectors]
read:       mov ah, 0x42        ; extended read
            mov dl, [drive]
            mov si, packet
            int 0x13
            jc failed
            add dword [packet.block], AT_ONCE
            add word [packet.segment], AT_ONCE * 512 / 16
            sub bp, AT_ONCE
            ja read

            cli
            in al, 0x92         ; A20 on
            or al, 0x02
            out 0x92, al
            lgdt [gdtr]
            mov eax, cr0
            or al, 1
            mov cr0, eax
            jmp 0x08:protected

failed:     mov ax, 0x0e21      ; "!"
            int 0x10
            hlt
            jmp failed

bits 32
protected:  mov eax, 0x10
            mov ds, eax
            mov es, eax
            mov ss, eax
            movzx ecx, word [sectors]
            shl ecx, 7          ; doublewords
            mov esi, BUFFER
            mov edi, IMAGE
            cld
            rep movsd
            mov eax, 0x2bad_b002
            xor ebx, ebx
            jmp [entry]

align 8
gdt:        dq 0
            dq 0x00cf_9b00_0000_ffff
            dq 0x00cf_9300_0000_ffff
gdtr:       dw gdtr - gdt - 1
            dd gdt
packet:     db 16, 0
            dw AT_ONCE
            dw 0
.segment:   dw BUFFER / 16
.block:     dq 1
drive:      db 0

            times 504 - ($ - $$) db 0
sectors:    dw 0
entry:      dd 0
            dw 0xaa55
