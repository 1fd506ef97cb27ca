; Paging of 32 bits: 2-level, with 4 MiB pages, and PAE.
%include "frame.inc"

DIRECTORY equ TABLES
TABLE0    equ TABLES + 0x1000
PDPT      equ TABLES + 0x2000
PAEDIR    equ TABLES + 0x3000
PAETABLE  equ TABLES + 0x4000
; Linear addresses that the cases play with; both lie behind TABLE0.
PAGE1     equ 0x20_0000
PAGE2     equ 0x20_1000
FRAME1    equ 0x30_0000
FRAME2    equ 0x30_1000
PTE1      equ TABLE0 + (PAGE1 >> 12) * 4
PTE2      equ TABLE0 + (PAGE2 >> 12) * 4

; Identity for the first 4 MiB, user and writable; PAGE1 and PAGE2 as %1 and %2; CR0 gets %3 too.
%macro PAGES 3
  call tables
  mov dword [PTE1], %1
  mov dword [PTE2], %2
  mov eax, DIRECTORY
  mov cr3, eax
  mov eax, 0x8000_0011 | (%3)
  mov cr0, eax
  jmp %%on
%%on:
  call clear
%endmacro
WP equ 0x1_0000

%macro USERDATA 0
  mov ax, DATA3
  mov ds, ax
  mov es, ax
%endmacro

main:
  CASE "a page and its flags"
  PAGES FRAME1 | 7, FRAME2 | 7, 0
  mov eax, [PAGE1]
  mov [PAGE2], eax
  mov eax, [PTE1]
  mov ecx, [PTE2]
  mov edx, [DIRECTORY]
  ENDCASE

%macro READ 4               ; name, PTE, CR0, ring
  CASE %1
  PAGES %2, 0, %3
%if %4 = 3
  RING 3
  USERDATA
%endif
  mov eax, [PAGE1 + 0x123]
  ENDCASE
%endmacro
%macro WRITE 4
  CASE %1
  PAGES %2, 0, %3
%if %4 = 3
  RING 3
  USERDATA
%endif
  mov [PAGE1 + 0x123], eax
  ENDCASE
%endmacro
  READ "reading an absent page", 0, 0, 0
  WRITE "writing an absent page", 0, 0, 0
  READ "reading an absent page in ring 3", 0, 0, 3
  WRITE "writing an absent page in ring 3", 0, 0, 3
  READ "reading a supervisor page in ring 3", FRAME1 | 3, 0, 3
  WRITE "writing a supervisor page in ring 3", FRAME1 | 3, 0, 3
  WRITE "writing a read-only page in ring 3", FRAME1 | 5, 0, 3
  WRITE "writing a read-only page in ring 0", FRAME1 | 5, 0, 0
  WRITE "writing a read-only page in ring 0 with WP", FRAME1 | 5, WP, 0
  WRITE "writing a read-only supervisor page with WP", FRAME1 | 1, WP, 0
  READ "reading a read-only page in ring 3", FRAME1 | 5, WP, 3
  READ "reading in ring 1 is the supervisor's", FRAME1 | 3, 0, 0

  CASE "a directory entry that is read-only"
  PAGES FRAME1 | 7, 0, WP
  mov dword [DIRECTORY + 4], TABLE0 | 5
  mov [0x40_0000 + PAGE1], eax
  ENDCASE

  CASE "a directory entry of the supervisor"
  PAGES FRAME1 | 7, 0, WP
  mov dword [DIRECTORY + 4], TABLE0 | 3
  RING 3
  USERDATA
  mov eax, [0x40_0000 + PAGE1]
  ENDCASE

  CASE "a table that is absent"
  PAGES 0, 0, 0
  mov eax, [0x40_0000]
  ENDCASE

  CASE "ring 1 is a supervisor"
  PAGES FRAME1 | 3, 0, 0
  RING 1
  mov ax, DATA1
  mov ds, ax
  mov eax, [PAGE1]
  ENDCASE

  CASE "a write over two pages, the second absent"
  PAGES FRAME1 | 7, 0, 0
  mov dword [PAGE1 + 0xffc], 0x1111_1111
  mov dword [PAGE1 + 0xffe], 0x2222_2222
  ENDCASE

  CASE "what such a write left"
  PAGES FRAME1 | 7, FRAME2 | 7, 0
  mov eax, [PAGE1 + 0xffc]
  ENDCASE

  CASE "a read-modify-write of a read-only page"
  PAGES FRAME1 | 5, 0, WP
  add dword [PAGE1], 1
  ENDCASE

  CASE "a fetch from an absent page"
  PAGES 0, 0, 0
  jmp CODE0:PAGE1 + 0x234
  ENDCASE

  CASE "a fetch from a supervisor page in ring 3"
  PAGES FRAME1 | 3, 0, 0
  RING 3
  mov eax, PAGE1
  jmp eax
  ENDCASE

  CASE "REP MOVSD into an absent page"
  PAGES FRAME1 | 7, 0, 0
  mov esi, STACK0
  mov edi, PAGE1 + 0xff0
  mov ecx, 8
  rep movsd
  ENDCASE

  CASE "REP STOSB downwards into an absent page"
  PAGES 0, FRAME2 | 7, 0
  mov edi, PAGE2 + 5
  mov ecx, 10
  std
  rep stosb
  ENDCASE

  CASE "PUSHAD into an absent page"
  PAGES 0, FRAME2 | 7, 0
  RING 3
  mov esp, PAGE2 + 8
  pushad
  ENDCASE

  CASE "POP into an absent page leaves ESP"
  PAGES 0, FRAME2 | 7, 0
  push dword 0x1111
  pop dword [PAGE1]
  ENDCASE

  CASE "CALL into an absent stack"
  PAGES 0, FRAME2 | 7, 0
  RING 3
  mov esp, PAGE2
  call clear
  ENDCASE

  CASE "ENTER into an absent stack"
  PAGES 0, FRAME2 | 7, 0
  RING 3
  mov esp, PAGE2 + 4
  enter 16, 2
  ENDCASE

  CASE "an interrupt whose inner stack is absent: #PF by a task gate"
  PAGES 0, 0, 0
  mov byte [idt + 14 * 8 + 5], 0x85
  mov word [idt + 14 * 8 + 2], TSS_B
  mov dword [tss_b + 0x1c], DIRECTORY
  mov dword [tss_a + 4], PAGE2
  RING 3
  int 0x41
  ENDCASE

  CASE "a double fault by a task gate"
  PAGES 0, 0, 0
  mov byte [idt + 8 * 8 + 5], 0x85
  mov word [idt + 8 * 8 + 2], TSS_B
  mov dword [tss_b + 0x1c], DIRECTORY
  mov dword [tss_a + 4], PAGE2
  RING 3
  int 0x41
  ENDCASE

  CASE "the supervisor's own accesses: a gate in a page of ring 0"
  PAGES FRAME1 | 7, 0, 0
  mov eax, idt
  shr eax, 12
  and dword [TABLE0 + 4 * eax], ~4
  mov eax, gdt
  shr eax, 12
  and dword [TABLE0 + 4 * eax], ~4
  RING 3
  int 0x41
  ENDCASE

  CASE "a GDT in an absent page"
  PAGES 0, 0, 0
  mov dword [scratch], 0x0000_00ff
  mov dword [scratch + 2], PAGE1
  lgdt [scratch]
  mov byte [idt + 14 * 8 + 5], 0x8e
  mov ax, DATA3
  mov dword [PTE1], FRAME1 | 7
  mov esi, gdt
  mov edi, PAGE1
  mov ecx, 0x40
  rep movsd
  invlpg [PAGE1]
  mov es, ax
  mov eax, [PTE1]
  lgdt [gdtr]
  ENDCASE

  CASE "INVLPG shows a changed entry"
  PAGES FRAME1 | 7, 0, 0
  mov dword [FRAME1], 0x1111_1111
  mov dword [FRAME2], 0x2222_2222
  mov eax, [PAGE1]
  mov dword [PTE1], FRAME2 | 7
  invlpg [PAGE1]
  mov ecx, [PAGE1]
  mov dword [PTE1], FRAME1 | 7
  mov edx, cr3
  mov cr3, edx
  mov edx, [PAGE1]
  ENDCASE

  CASE "an absent page is looked up anew each time"
  PAGES FRAME1 | 7, 0, 0
  mov dword [FRAME2], 0x2222_2222
  mov byte [idt + 14 * 8 + 5], 0x8e
  mov word [idt + 14 * 8], .repair - kernel + (KERNEL & 0xffff)
  mov word [idt + 14 * 8 + 6], (KERNEL >> 16)
  mov eax, [PAGE2]
  jmp .after
.repair:
  mov ecx, cr2
  mov edx, [esp]
  mov ebx, [esp + 12]
  mov dword [PTE2], FRAME2 | 7
  add esp, 4
  iretd
.after:
  ENDCASE

; --- 4 MiB pages ---

%macro LARGE 2              ; entry of the directory for 0x0040_0000, CR4
  call tables
  mov dword [DIRECTORY + 4], %1
  mov eax, %2
  mov cr4, eax
  mov eax, DIRECTORY
  mov cr3, eax
  mov eax, 0x8001_0011
  mov cr0, eax
  call clear
%endmacro
  CASE "a 4 MiB page"
  LARGE 0x87, 0x10
  mov dword [FRAME1], 0x1234_5678
  mov eax, [0x40_0000 + FRAME1]
  mov ecx, [DIRECTORY + 4]
  mov [0x40_0000 + FRAME1], ecx
  mov ecx, [DIRECTORY + 4]
  ENDCASE

  CASE "PS without CR4.PSE"
  LARGE TABLE0 | 0x87, 0
  mov dword [FRAME1], 0x1234_5678
  mov eax, [0x40_0000 + FRAME1]
  mov ecx, [DIRECTORY + 4]
  ENDCASE

  CASE "a reserved bit in a 4 MiB page"
  LARGE 0x20_0087, 0x10
  mov eax, [0x40_0000]
  ENDCASE

  CASE "a read-only 4 MiB page"
  LARGE 0x85, 0x10
  mov [0x40_0000], eax
  ENDCASE

  CASE "a supervisor's 4 MiB page in ring 3"
  LARGE 0x83, 0x10
  RING 3
  USERDATA
  mov eax, [0x40_0000]
  ENDCASE

; --- PAE ---

; PAGE1's entry is %1 (low) and %2 (high).
%macro PAE 2
  call paetables
  mov dword [PAETABLE + (PAGE1 & 0x1f_ffff) / 512], %1
  mov dword [PAETABLE + (PAGE1 & 0x1f_ffff) / 512 + 4], %2
  mov eax, 0x20
  mov cr4, eax
  mov eax, PDPT
  mov cr3, eax
  mov eax, 0x8001_0011
  mov cr0, eax
  call clear
%endmacro

  CASE "PAE: a page and its flags"
  PAE FRAME1 | 7, 0
  mov dword [FRAME1], 0x1234_5678
  mov eax, [PAGE1]
  mov [PAGE1], ecx
  mov ecx, [PAETABLE + (PAGE1 & 0x1f_ffff) / 512]
  mov edx, [PAEDIR + 8]
  mov ebx, [PDPT]
  ENDCASE

  CASE "PAE: an absent page"
  PAE 0, 0
  mov [PAGE1], eax
  ENDCASE

  CASE "PAE: a reserved bit of the address"
  PAE FRAME1 | 7, 0x100000
  mov eax, [PAGE1]
  ENDCASE

  CASE "PAE: bit 63 without NXE"
  PAE FRAME1 | 7, 0x8000_0000
  mov eax, [PAGE1]
  ENDCASE

  CASE "PAE: bit 63 with NXE"
  call nxe
  PAE FRAME1 | 7, 0x8000_0000
  mov eax, [PAGE1]
  jmp CODE0:PAGE1
  ENDCASE

  CASE "PAE: a fetch from an absent page with NXE"
  call nxe
  PAE 0, 0
  jmp CODE0:PAGE1
  ENDCASE

  CASE "PAE: a fetch from NX in ring 3"
  call nxe
  PAE FRAME1 | 7, 0x8000_0000
  RING 3
  mov eax, PAGE1
  jmp eax
  ENDCASE

  CASE "PAE: a 2 MiB page"
  call paetables
  mov dword [PAEDIR + 16], 0x20_0087
  mov eax, 0x20
  mov cr4, eax
  mov eax, PDPT
  mov cr3, eax
  mov eax, 0x8001_0011
  mov cr0, eax
  mov dword [0x30_0000], 0x1234_5678
  mov eax, [0x50_0000]
  mov ecx, [PAEDIR + 16]
  ENDCASE

  CASE "PAE: a reserved bit in a 2 MiB page"
  call paetables
  mov dword [PAEDIR + 16], 0x20_2087
  mov eax, 0x20
  mov cr4, eax
  mov eax, PDPT
  mov cr3, eax
  mov eax, 0x8001_0011
  mov cr0, eax
  mov eax, [0x40_0000]
  ENDCASE

  CASE "PAE: an absent pointer"
  PAE FRAME1 | 7, 0
  mov eax, [0x4000_0000]
  ENDCASE

  CASE "PAE: a pointer with a reserved bit, on MOV to CR0"
  call paetables
  mov dword [PDPT], PAEDIR | 3
  mov eax, 0x20
  mov cr4, eax
  mov eax, PDPT
  mov cr3, eax
  mov eax, 0x8001_0011
  mov cr0, eax
  ENDCASE

  CASE "PAE: a pointer with a reserved bit, on MOV to CR3"
  PAE FRAME1 | 7, 0
  mov dword [PDPT + 8], 0x21
  mov eax, cr3
  mov cr3, eax
  ENDCASE

  CASE "PAE: the pointers are read when CR3 is loaded"
  PAE FRAME1 | 7, 0
  mov dword [FRAME1], 0x1234_5678
  mov dword [PDPT], 0
  mov eax, [PAGE1]
  mov dword [PDPT], PAEDIR | 1
  ENDCASE

  jmp finish

tables:
  mov edi, DIRECTORY
  mov ecx, 0x5000 / 4
  xor eax, eax
  cld
  rep stosd
  mov dword [DIRECTORY], TABLE0 | 7
  mov edi, TABLE0
  mov eax, 7
.next:
  stosd
  add eax, 0x1000
  cmp eax, 0x40_0000
  jb .next
  ret

; 2 MiB of identity by pages, and PAGE1's table behind the second entry of the directory.
paetables:
  call tables
  mov dword [PDPT], PAEDIR | 1
  mov dword [PAEDIR], 0x87
  mov dword [PAEDIR + 8], PAETABLE | 7
  ret

nxe:
  mov ecx, 0xc000_0080
  rdmsr
  or eax, 0x800
  wrmsr
  ret
  times (SECTORS + 1) * 512 - ($ - boot) db 0
