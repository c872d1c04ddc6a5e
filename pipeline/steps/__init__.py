"""One function per task: gather, compute, publish. The only room that joins rooms."""
