export const prerender = true;
/** `checkpoint/index.html` is found by every static host; `checkpoint.html` is not. */
export const trailingSlash = 'always';
