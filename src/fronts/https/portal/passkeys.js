// Makes or shows a passkey: what the browser answers is put into the form and sent with it. The only script of the
// portal; it asks nobody else anything. Without it, and without a passkey, the one-time code does.
(() => {
  'use strict';
  const form = document.querySelector('form[data-passkey]');
  if (!form) return;
  const part = (name) => document.querySelector(`[data-${name}]`);
  if (!window.PublicKeyCredential) {
    part('unsupported').hidden = false;
    return;
  }
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (sign) => sign.charCodeAt(0));
  const text = (buffer) => {
    const signs = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('');
    return btoa(signs).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  };
  const listed = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  async function make(options) {
    const made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: listed(options.excludeCredentials),
      },
    });
    return answer(made, {
      attestationObject: text(made.response.attestationObject),
      clientDataJSON: text(made.response.clientDataJSON),
    });
  }
  async function show(options) {
    const shown = await navigator.credentials.get({
      publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: listed(options.allowCredentials) },
    });
    const { authenticatorData, clientDataJSON, signature, userHandle } = shown.response;
    return answer(shown, {
      authenticatorData: text(authenticatorData),
      clientDataJSON: text(clientDataJSON),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    });
  }
  const answer = (credential, response) =>
    JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, extensions: {}, response });

  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    part('failed').hidden = true;
    try {
      const options = JSON.parse(form.dataset.options).publicKey;
      form.elements.answer.value = await (form.dataset.passkey === 'make' ? make(options) : show(options));
      form.submit();
    } catch {
      // called off, too late, or no such passkey on this device
      part('failed').hidden = false;
    }
  });
})();
