"""Where kernels come from: git repositories, tarballs and folders. Knows nothing of C or SQL."""
