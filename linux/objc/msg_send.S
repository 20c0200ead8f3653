/* objc_msgSend over GCC's objc_msg_lookup: look the method up with every argument register kept, then jump to it,
   so that its own caller gets the result. A message to nil answers zero in every register a result comes back in;
   objc_msg_lookup's own answer for nil leaves the floating-point ones as they were. */

#if defined(__x86_64__)

.macro LOOKUP receiver, selector
    pushq %rbp
    movq %rsp, %rbp
    subq $192, %rsp
    movaps %xmm0, (%rsp)
    movaps %xmm1, 16(%rsp)
    movaps %xmm2, 32(%rsp)
    movaps %xmm3, 48(%rsp)
    movaps %xmm4, 64(%rsp)
    movaps %xmm5, 80(%rsp)
    movaps %xmm6, 96(%rsp)
    movaps %xmm7, 112(%rsp)
    movq %rdi, 128(%rsp)
    movq %rsi, 136(%rsp)
    movq %rdx, 144(%rsp)
    movq %rcx, 152(%rsp)
    movq %r8, 160(%rsp)
    movq %r9, 168(%rsp)
    movq %rax, 176(%rsp)
    movq \receiver, %rax
    movq \selector, %rsi
    movq %rax, %rdi
    call objc_msg_lookup@PLT
    movq %rax, %r11
    movaps (%rsp), %xmm0
    movaps 16(%rsp), %xmm1
    movaps 32(%rsp), %xmm2
    movaps 48(%rsp), %xmm3
    movaps 64(%rsp), %xmm4
    movaps 80(%rsp), %xmm5
    movaps 96(%rsp), %xmm6
    movaps 112(%rsp), %xmm7
    movq 128(%rsp), %rdi
    movq 136(%rsp), %rsi
    movq 144(%rsp), %rdx
    movq 152(%rsp), %rcx
    movq 160(%rsp), %r8
    movq 168(%rsp), %r9
    movq 176(%rsp), %rax
    leave
    jmp *%r11
.endm

    .text
    .globl objc_msgSend
    .type objc_msgSend, @function
objc_msgSend:
    testq %rdi, %rdi
    je 1f
    LOOKUP %rdi, %rsi
1:  xorl %eax, %eax
    xorl %edx, %edx
    xorps %xmm0, %xmm0
    xorps %xmm1, %xmm1
    ret
    .size objc_msgSend, . - objc_msgSend

/* The result's address comes first, the receiver second. */
    .globl objc_msgSend_stret
    .type objc_msgSend_stret, @function
objc_msgSend_stret:
    testq %rsi, %rsi
    je 1f
    LOOKUP %rsi, %rdx
1:  movq %rdi, %rax
    ret
    .size objc_msgSend_stret, . - objc_msgSend_stret

#elif defined(__aarch64__)

    .text
    .globl objc_msgSend
    .type objc_msgSend, %function
objc_msgSend:
    cbz x0, 1f
    stp x29, x30, [sp, #-224]!
    mov x29, sp
    stp x0, x1, [sp, #16]
    stp x2, x3, [sp, #32]
    stp x4, x5, [sp, #48]
    stp x6, x7, [sp, #64]
    str x8, [sp, #80]
    stp q0, q1, [sp, #96]
    stp q2, q3, [sp, #128]
    stp q4, q5, [sp, #160]
    stp q6, q7, [sp, #192]
    bl objc_msg_lookup
    mov x16, x0
    ldp x0, x1, [sp, #16]
    ldp x2, x3, [sp, #32]
    ldp x4, x5, [sp, #48]
    ldp x6, x7, [sp, #64]
    ldr x8, [sp, #80]
    ldp q0, q1, [sp, #96]
    ldp q2, q3, [sp, #128]
    ldp q4, q5, [sp, #160]
    ldp q6, q7, [sp, #192]
    ldp x29, x30, [sp], #224
    br x16
1:  mov x1, xzr
    movi v0.2d, #0
    movi v1.2d, #0
    movi v2.2d, #0
    movi v3.2d, #0
    ret
    .size objc_msgSend, . - objc_msgSend

#else
#error objc_msgSend is written for x86_64 and aarch64
#endif

    .section .note.GNU-stack, "", %progbits
