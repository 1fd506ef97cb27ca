import { expectVectorsMet } from "./vectors-met.ts";

expectVectorsMet("simd");
