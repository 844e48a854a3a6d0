/** Version of the app, from package.json (vite.config.ts). */
declare const __APP_VERSION__: string;

declare namespace App {
  interface PageState {
    /** The tensor that is looked at, by the number of its view; else the page itself is shown. */
    tensor?: number;
  }
}
